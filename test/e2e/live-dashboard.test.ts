import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, browserSuite, complaintsOf, dashboardLoaded, launchBrowser } from '../support/browser.ts'
import { until, workspace, type Running } from '../support/cli.ts'

/** Five-second candles in a twentieth of their time. */
const ENV = { CHECK_INTERVAL: '5' }
const PATIENCE = { timeout: 20_000 }

describe.skipIf(browserPath === undefined).sequential(browserSuite('a live session, with its dashboard open'), { shuffle: false }, () => {
  const home = workspace()
  const requests: string[] = []
  let browser: Browser
  let page: Page
  let complaints: string[]
  let running: Running
  let url = ''
  let run = ''

  /** What the program said until its dashboard was there. */
  async function start(port: string): Promise<string> {
    let said = ''
    running = home.start(['live', 'live.yaml', '--speed', '40', '--port', port], ENV)
    running.child.stderr!.on('data', (text: string) => { said += text })
    await until(() => said.includes('Dashboard: http'), 'the banner')
    url = /Dashboard: (http:\S+)/.exec(said)![1]
    return said
  }

  const panel = (name: string) => page.getByRole('region', { name, exact: true }).first()
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const newest = (): Promise<string | null> => page.locator('.feed > li').first().getAttribute('data-decision')
  const made = async (): Promise<number> => Number(/([\d,]+) made/.exec(await panel('Session').textContent() ?? '')?.[1])
  const asked = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse((await home.shell(`curl -sf ${url}${path}`)).stdout) as Record<string, unknown>

  beforeAll(async () => {
    home.put('live.yaml', {
      name: 'watched', market: { source: 'synthetic' }, strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } },
      policy: { positionSize: 0.1, minExitConfidence: 1 },
    })
    await start('0')
    browser = await launchBrowser()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    complaints = complaintsOf(page)
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(url)
    run = String((await asked('/api/run'))['run'])
    await page.evaluate('window.opened = true')
  })
  afterAll(async () => {
    await browser?.close()
    running.child.kill('SIGTERM')
    await running.done
  })

  it('shows that it runs, and every decision as it is made', async () => {
    await dashboardLoaded(page)
    await expect.poll(() => panel('Session').textContent()).toMatch(/● Running.*Autonomous/)
    expect(await page.locator('header.top').textContent()).toContain('watched · sma-cross · BTC/USDT · 5s')
    await page.locator('.feed > li').first().waitFor()
    const before = [await newest(), await made()] as const
    await expect.poll(newest, PATIENCE).not.toBe(before[0])
    await expect.poll(made, PATIENCE).toBeGreaterThan(before[1])
    await expect.poll(() => panel('Session').textContent(), PATIENCE).toMatch(/[1-9]\d* executed/)
    await expect.poll(() => panel('Closed trades').getByRole('row').count(), PATIENCE).toBeGreaterThan(1)
    expect(await panel('Alarms').textContent()).not.toContain('open unknown')
    expect(complaints).toEqual([])
  })

  it('says when the process is gone that what it shows is old', async () => {
    running.child.kill('SIGKILL')
    await running.done
    await page.getByText(/Stale since .* UTC/).waitFor()
    await page.getByText('✕ Stale').waitFor()
    expect(await page.locator('main.stale').count()).toBe(1)
    expect(await made()).toBeGreaterThan(0)
  })

  it('finds the next process by itself, in which the same run goes on', async () => {
    const before = await made()
    const trades = await panel('Closed trades').getByRole('row').count()
    expect(await start(new URL(url).port)).toContain(`Going on with run ${run}`)
    await page.getByText('● Live').waitFor({ timeout: 30_000 })
    await page.getByText('Stale since').waitFor({ state: 'detached' })
    expect((await asked('/api/run'))['run']).toBe(run)
    await expect.poll(made, PATIENCE).toBeGreaterThan(before)
    const last = await newest()
    await expect.poll(newest, PATIENCE).not.toBe(last)
    expect(await panel('Closed trades').getByRole('row').count()).toBeGreaterThanOrEqual(trades)
    expect(await page.evaluate('window.opened')).toBe(true)
  })

  it('stops the loop, which everybody then sees', async () => {
    await button('■ Stop the loop').click()
    await button('▶ Start the loop').waitFor()
    expect(await asked('/api/autonomous-status')).toMatchObject({ enabled: false, is_running: false })
    const status = await asked('/api/autonomous-status')
    await button('▶ Start the loop').click()
    await button('■ Stop the loop').waitFor()
    await expect.poll(async () => (await asked('/api/autonomous-status'))['loop_iterations'], PATIENCE).toBeGreaterThan(Number(status['loop_iterations']))
  })

  it('asks before a panic, which then leaves everything', async () => {
    await panel('Positions').getByText('BTC/USDT').waitFor(PATIENCE)
    await page.getByRole('button', { name: 'Panic' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    expect(await asked('/api/risk')).toMatchObject({ state: 'RUNNING' })
    await page.getByRole('button', { name: 'Halt and sell everything' }).click()
    await expect.poll(() => panel('Session').textContent(), PATIENCE).toContain('Halted: no orders')
    await expect.poll(() => panel('Positions').textContent(), PATIENCE).toContain('No open position')
    expect(await asked('/api/risk')).toMatchObject({ state: 'HALTED' })
    expect(await asked('/api/autonomous-status')).toMatchObject({ active_positions: 0 })
  })

  it('complained of nothing but the outage, and asked nobody but the session', () => {
    expect(complaints.filter((one) => !/ERR_(CONNECTION_\w+|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/.test(one))).toEqual([])
    expect(requests.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([])
  })
})
