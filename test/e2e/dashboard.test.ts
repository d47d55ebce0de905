import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, browserSuite, complaintsOf, dashboardLoaded, launchBrowser, scrollsSideways } from '../support/browser.ts'
import { decision, emptyDashboard, fullDashboard, HOUR, NOW, type DashboardData } from '../support/dashboard-data.ts'
import { DashboardServer } from '../support/dashboard-server.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Opened {
  readonly page: Page
  readonly server: DashboardServer
  readonly complaints: string[]
  readonly requests: string[]
}

const hostile = `<img src=x onerror="document.title='owned'"> \u001b[31mred\u001b[2J \u202etxt ${'long '.repeat(20_480)}`

describe.skipIf(browserPath === undefined)(browserSuite('dashboard'), () => {
  let browser: Browser
  const servers: DashboardServer[] = []

  beforeAll(async () => { browser = await launchBrowser() })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    for (const server of servers.splice(0)) await server.close()
  })
  afterAll(async () => { await browser?.close() })

  async function open(data: DashboardData = fullDashboard(), options: BrowserContextOptions & { readonly token?: string } = {}): Promise<Opened> {
    const { token = null, ...browserOptions } = options
    const server = new DashboardServer(data)
    server.token = token
    servers.push(server)
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...browserOptions })
    const page = await context.newPage()
    await page.clock.install()
    const complaints = complaintsOf(page)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(await server.start())
    if (token === null) await dashboardLoaded(page)
    return { page, server, complaints, requests }
  }

  const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true }).first()
  const rows = (page: Page) => page.locator('.feed > li')

  /** What axe-core holds to be serious or worse. */
  const faults = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe)
    return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`)
  }

  it('shows the session without a complaint, and asks nobody but its server', async () => {
    const { page, server, complaints, requests } = await open()
    const session = panel(page, 'Session')
    await expect.poll(() => session.textContent()).toMatch(/Running.*Autonomous.*151 made, 7 executed/)
    expect(await session.textContent()).toMatch(/Confidence 81\s%≥ needed 70\s%break-even 67\s%/)
    expect(await page.locator('header.top').getByText('Practice exchange').isVisible()).toBe(true)
    expect(await panel(page, 'Positions').textContent()).toMatch(/BTC\/USDT.*\+18\.35.*\+0\.92/)
    expect(await panel(page, 'Backup services').textContent()).toMatch(/gemini.*Cooling.*rate limit until.*anthropic.*Disabled/)
    expect(await panel(page, 'Shadow lanes').textContent()).toContain('minConfidence: 0.8')
    expect(await panel(page, 'Finished runs').getByRole('link').getAttribute('href')).toBe('/api/runs/demo-9f1/report')
    expect(await panel(page, 'Market').getByRole('img').getAttribute('aria-label')).toMatch(/300 candles.*entries 2, exits 1; entry .*, stop .*, target/)
    expect(await rows(page).count()).toBe(40)
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(server.url))).toEqual([])
  })

  it('says of every panel that there is nothing yet', async () => {
    const { page, complaints } = await open(emptyDashboard())
    const empty = {
      Market: 'No candle yet', Positions: 'No open position', Decisions: 'No decision yet', 'Equity and drawdown': 'Nothing has been earned',
      'Closed trades': 'No trade', 'Backup services': 'No AI service', 'Shadow lanes': 'No shadow lane', Alarms: 'No alarm', 'Finished runs': 'No run',
    }
    for (const [name, text] of Object.entries(empty)) await expect.poll(() => panel(page, name).textContent()).toContain(text)
    expect(complaints).toEqual([])
  })

  it('says which panel could not be loaded, and loads it when asked again', async () => {
    const server = new DashboardServer()
    servers.push(server)
    server.broken.set('/api/figures', 'the book is being read')
    const page = await browser.newPage()
    await page.goto(await server.start())
    await expect.poll(() => panel(page, 'Figures').textContent()).toContain('Not loaded: the book is being read')
    server.broken.clear()
    await panel(page, 'Figures').getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => panel(page, 'Figures').textContent()).toContain('10,214.37')
  })

  it('shows what happens as it happens, and keeps 200 decisions', async () => {
    const { page, server } = await open()
    await expect.poll(() => server.streams).toBe(1)
    server.push('decision', decision({ id: 1_000, action: 'BUY', confidence: 0.93, status: 'EXECUTED', reasoning: 'A fresh one.' }))
    await expect.poll(() => rows(page).first().textContent()).toContain('A fresh one.')
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('93')
    for (let id = 1_001; id <= 1_250; id++) server.push('decision', decision({ id, reasoning: `number ${id}` }))
    await expect.poll(() => rows(page).first().textContent()).toContain('number 1250')
    expect(await rows(page).count()).toBe(200)
    server.push('status', { ...server.data.status, is_running: false })
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('■ Stopped')
    server.push('position', { ...server.data.positions[0], open_pnl: -44.5, open_return: -0.02 })
    await expect.poll(() => panel(page, 'Positions').textContent()).toContain('−44.50')
    server.push('equity', [NOW + HOUR, 10_500.25, -0.0033])
    await expect.poll(() => panel(page, 'Equity and drawdown').textContent()).toContain('Equity 10,500.25 USDT (+5.00')
    const candles = server.data.candles['BTC/USDT'].candles
    server.push('candle', { ...server.data.candles['BTC/USDT'], candles: [[candles.at(-1)![0] + HOUR, 70_000, 70_900, 69_900, 70_123.45, 5]] })
    await expect.poll(() => page.getByRole('img', { name: '70,123.45' }).count()).toBe(1)
  })

  it('tells screen readers a new decision politely', async () => {
    const { page, server } = await open()
    await page.clock.runFor(6_000)
    server.push('decision', decision({ id: 1_000, action: 'SELL', confidence: 0.66, status: 'EXECUTED' }))
    await rows(page).filter({ hasText: 'SELL' }).first().waitFor()
    await expect.poll(async () => {
      await page.clock.runFor(6_000)
      return page.locator('[aria-live="polite"]').textContent()
    }).toMatch(/SELL BTC\/USDT, confidence 66\s%, executed/)
  })

  it('stops and starts the loop, halts and resumes, and the server agrees', async () => {
    const { page, server } = await open()
    await page.getByRole('button', { name: 'Stop the loop' }).click()
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('■ Stopped')
    expect(server.data.status.is_running).toBe(false)
    await page.getByRole('button', { name: 'Start the loop' }).click()
    await expect.poll(() => server.data.status.is_running).toBe(true)
    await page.getByRole('button', { name: 'Halt trading' }).click()
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('Halted: no orders')
    expect(server.data.risk.state).toBe('HALTED')
    await page.getByRole('button', { name: 'Resume trading' }).click()
    await expect.poll(() => server.data.risk.state).toBe('RUNNING')
    await page.getByRole('button', { name: 'Disable openai' }).click()
    await page.getByRole('button', { name: 'Enable openai' }).waitFor()
    expect(server.acts.map(({ path }) => path)).toEqual([
      '/api/autonomous-toggle', '/api/autonomous-toggle', '/api/risk', '/api/risk', '/api/providers/openai',
    ])
  })

  it('asks before it closes a position, and twice before a panic', async () => {
    const { page, server } = await open()
    await page.getByRole('button', { name: 'Close BTC/USDT' }).click()
    const dialog = page.getByRole('alertdialog')
    await page.keyboard.press('Enter')
    await expect.poll(() => dialog.count()).toBe(0)
    expect(server.acts).toEqual([])
    await page.getByRole('button', { name: 'Close BTC/USDT' }).click()
    await dialog.getByRole('button', { name: 'Close BTC/USDT' }).click()
    await expect.poll(() => panel(page, 'Positions').textContent()).toContain('Leaving')
    expect(server.acts).toEqual([{ path: '/api/positions', body: { symbol: 'BTC/USDT', confirm: true, reason: 'from the dashboard' } }])

    await page.getByRole('button', { name: 'Panic' }).click()
    expect(await dialog.textContent()).toContain('Sold at the market, whatever the price: BTC/USDT.')
    await dialog.getByRole('button', { name: 'Continue' }).click()
    await page.keyboard.press('Enter')
    await expect.poll(() => dialog.count()).toBe(0)
    expect(server.acts.length).toBe(1)
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Panic')
    await page.getByRole('button', { name: 'Panic' }).click()
    await dialog.getByRole('button', { name: 'Continue' }).click()
    await dialog.getByRole('button', { name: 'Halt and sell everything' }).click()
    await expect.poll(() => dialog.textContent()).toContain('Halted. Sold: BTC/USDT.')
    await dialog.getByRole('button', { name: 'Close', exact: true }).click()
    await expect.poll(() => panel(page, 'Positions').textContent()).toContain('No open position')
    expect(server.data.risk.state).toBe('HALTED')
  })

  it('only watches what another process runs', async () => {
    const data = fullDashboard()
    const { page } = await open({ ...data, status: { ...data.status, enabled: false, is_running: false } })
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('Runs in another process')
    expect(await page.getByRole('button', { name: 'Panic' }).isDisabled()).toBe(true)
  })

  it('is loud on mainnet, and asks there before the loop starts', async () => {
    const data = fullDashboard()
    const { page, server } = await open({ ...data, run: { ...data.run, venue: 'mainnet' }, status: { ...data.status, is_running: false } })
    expect(await page.getByText('MAINNET · real money').isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Start the loop' }).click()
    expect(await page.getByRole('alertdialog').textContent()).toContain('real money')
    expect(server.acts).toEqual([])
    await page.getByRole('alertdialog').getByRole('button', { name: 'Start' }).click()
    await expect.poll(() => server.data.status.is_running).toBe(true)
  })

  it('greys what may be old when the stream is lost, and catches up', async () => {
    const { page, server } = await open()
    await rows(page).first().waitFor()
    await expect.poll(() => panel(page, 'Figures').textContent()).toContain('10,214.37')
    server.deaf = true
    server.cutStreams()
    await page.getByText('Stale since').waitFor()
    expect(await page.locator('main.stale').count()).toBe(1)
    server.deaf = false
    server.data.figures = { ...server.data.figures, equity: 12_345.67 }
    server.push('decision', decision({ id: 2_000 }))
    await page.getByRole('button', { name: 'Try now' }).click()
    await page.getByText('● Live').waitFor()
    await expect.poll(() => panel(page, 'Figures').textContent()).toContain('12,345.67')
    expect(await page.locator('main.stale').count()).toBe(0)
  })

  it('takes three heartbeats of silence for an outage', async () => {
    const { page, server } = await open()
    server.deaf = true
    await page.clock.runFor(40_000)
    expect(await page.getByText('Stale since').count()).toBe(0)
    await page.clock.runFor(10_000)
    await page.getByText('Stale since').waitFor()
  })

  it('asks for everything again after a reset', async () => {
    const { page, server } = await open()
    server.data.figures = { ...server.data.figures, equity: 11_111.11 }
    await expect.poll(() => server.streams).toBe(1)
    server.push('reset', {})
    await expect.poll(() => panel(page, 'Figures').textContent()).toContain('11,111.11')
  })

  it('keeps what strangers say as text, however long and whatever is in it', async () => {
    const data = fullDashboard()
    const { page, server, complaints } = await open({
      ...data, decisions: [decision({ id: 5_000, reasoning: hostile, provider: '<b>x</b>', status: 'EXECUTED', action: 'BUY' }), ...data.decisions],
      alarms: [{ id: 1, time: null, event: 'x', symbol: null, text: hostile }],
    })
    server.push('decision', decision({ id: 5_001, reasoning: hostile }))
    await expect.poll(() => rows(page).count()).toBe(42)
    const first = rows(page).nth(1)
    expect(await first.textContent()).toContain('<img src=x onerror=')
    expect(await first.textContent()).toContain('␛[31mred␛[2J ‹U+202E›txt')
    expect((await first.locator('.said').textContent())!.length).toBeLessThan(400)
    await first.getByRole('button', { name: 'Conversation' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Who was asked').waitFor()
    await dialog.getByRole('button', { name: /Show all 102,\d{3} characters/ }).first().click()
    await dialog.getByRole('button', { name: 'Show less' }).first().waitFor()
    expect((await dialog.locator('.prose p').first().textContent())!.length).toBeGreaterThan(102_000)
    expect(await page.locator('img:not([role])').count()).toBe(0)
    expect(await page.title()).toBe('Tapedeck')
    expect(await scrollsSideways(page)).toBe(false)
    expect(complaints).toEqual([])
  })

  it('asks for the token when the server does, and keeps it nowhere', async () => {
    const { page, requests } = await open(fullDashboard(), { token: 'open sesame' })
    await page.getByLabel('Token').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('This is not the token').waitFor()
    await page.getByLabel('Token').fill('open sesame')
    await page.keyboard.press('Enter')
    await page.getByText('● Live').waitFor()
    await expect.poll(() => panel(page, 'Session').textContent()).toContain('151 made')
    expect(requests.filter((url) => url.includes('sesame'))).toEqual([])
    expect(await page.evaluate('JSON.stringify(localStorage) + document.cookie')).not.toContain('sesame')
  })

  it.each(['light', 'dark'] as const)('has nothing serious for axe-core in %s colours', async (colorScheme) => {
    const { page } = await open(fullDashboard(), { colorScheme })
    await rows(page).first().waitFor()
    expect(await faults(page)).toEqual([])
    await rows(page).first().getByRole('button').click()
    await page.getByText('Who was asked').waitFor()
    expect(await faults(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Panic' }).click()
    expect(await faults(page)).toEqual([])
  })

  it.each([320, 360, 768, 1280])('fits into %i pixels without scrolling sideways', async (width) => {
    const { page } = await open(fullDashboard(), { viewport: { width, height: 800 } })
    await rows(page).first().waitFor()
    expect(await scrollsSideways(page)).toBe(false)
  })

  it('can be walked through with the keyboard alone', async () => {
    const { page, server } = await open()
    await rows(page).first().waitFor()
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent')
    const visited: string[] = []
    const goTo = async (name: string): Promise<void> => {
      for (let press = 0; press < 40; press++) {
        await page.keyboard.press('Tab')
        visited.push(await focused())
        if (visited.at(-1)!.includes(name)) return
      }
      throw new Error(`${name} was not reached: ${visited.join(' → ')}`)
    }
    await goTo('Skip to the session')
    await goTo('Dark colours')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await goTo('Stop the loop')
    await page.keyboard.press('Space')
    await expect.poll(() => server.data.status.is_running).toBe(false)
    await goTo('Panic')
    await page.keyboard.press('Enter')
    expect(await focused()).toBe('Cancel')
    await page.keyboard.press('Escape')
    await expect.poll(focused).toContain('Panic')
    await goTo('Close BTC/USDT')
    await goTo('Conversation: BUY BTC/USDT')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText('Who was asked').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(focused).toContain('Conversation: BUY BTC/USDT')
  })

  it('remembers the colours somebody chose', async () => {
    const { page } = await open(fullDashboard(), { colorScheme: 'light' })
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await background()
    await page.getByRole('button', { name: 'Dark colours' }).click()
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload()
    await expect.poll(background).toBe(dark)
  })

  it('names the time of a decision and how long ago it was', async () => {
    const data = fullDashboard()
    const { page } = await open({ ...data, decisions: [decision({ id: 1, timestamp: new Date(Date.now() - 31_000).toISOString() })] })
    await expect.poll(() => panel(page, 'Session').textContent()).toMatch(/3\d s ago/)
    expect(NOW).toBeLessThan(Date.now())
  })
})
