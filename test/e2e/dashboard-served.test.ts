import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { browserPath, browserSuite, complaintsOf, dashboardLoaded, launchBrowser } from '../support/browser.ts'
import { serveTest, type TestPlan, type TestServer } from '../support/http-server.ts'
import { trailOf } from '../support/rehearsal.ts'
import { ASKED, rehearsed } from '../support/served-run.ts'

const dashboard = fileURLToPath(new URL('../../dist/engine/server/dashboard', import.meta.url))

describe.skipIf(browserPath === undefined)(browserSuite('dashboard on the real server'), () => {
  let browser: Browser
  let directory: string

  beforeAll(async () => {
    directory = await rehearsed(ASKED)
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => { await browser?.close() })

  async function open(plan: TestPlan = {}): Promise<{ page: Page; server: TestServer; complaints: string[]; requests: string[] }> {
    const server = await serveTest({ directory, dashboard, ...plan })
    const page = await browser.newPage()
    const complaints = complaintsOf(page)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(server.url)
    return { page, server, complaints, requests }
  }

  const session = (page: Page) => page.getByRole('region', { name: 'Session', exact: true })
  const rows = (page: Page) => page.locator('.feed > li')

  it('shows a rehearsal with what was said in it', async () => {
    const { page, server, complaints, requests } = await open({ looking: true })
    await dashboardLoaded(page)
    await rows(page).first().waitFor()
    expect(await session(page).textContent()).toContain(`${server.book.decisionCount} made`)
    expect(await page.getByRole('img', { name: /BTC\/USDT: .* candles between/ }).count()).toBe(1)
    expect(await page.getByRole('img', { name: /^Equity / }).count()).toBe(1)
    const asked = server.book.decisions
    const one = [...asked].reverse().find(({ row }) => row.provider === 'simulated')!.row
    await page.locator(`[data-decision="${one.id}"]`).getByRole('button').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Who was asked').waitFor()
    expect(await dialog.textContent()).toContain(one.reasoning)
    expect(await dialog.textContent()).toContain('Answer 1: ')
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(server.url))).toEqual([])
    expect(server.defects).toEqual([])
  })

  it('shows a decision without a reload, with whatever it says as text', async () => {
    const { page, server, complaints } = await open()
    await rows(page).first().waitFor()
    const last = trailOf(directory).filter(({ type }) => type === 'decision').at(-1)!
    const reasoning = `<img src=x onerror="document.title='owned'"> \u001b[31m ${'long '.repeat(20_000)}`
    server.book.see({ ...last, seq: server.book.seq + 1, status: 'SIGNAL', reasoning })
    await expect.poll(() => rows(page).first().textContent()).toMatch(/signal.*<img src=x onerror=.*␛\[31m/)
    expect(await page.title()).toBe('Tapedeck')
    expect(complaints).toEqual([])
  })

  it('stops the loop, and asks twice before a panic', async () => {
    const { page, server, complaints } = await open()
    await page.getByRole('button', { name: 'Stop the loop' }).click()
    await page.getByRole('button', { name: 'Start the loop' }).waitFor()
    expect(server.controls.running).toBe(false)
    await page.getByRole('button', { name: 'Panic' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    expect(server.controls.told).toEqual(['toggle'])
    await page.getByRole('button', { name: 'Halt and sell everything' }).click()
    await page.getByText('Still held: ETH/USDT').waitFor()
    expect(server.controls.told).toEqual(['toggle', 'panic: from the dashboard'])
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await page.getByRole('button', { name: 'Disable openai' }).click()
    await page.getByRole('button', { name: 'Enable openai' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('lets in who has the token', async () => {
    const { page } = await open({ env: { API_TOKEN: 'a-token-of-some-length' } })
    await page.getByLabel('Token').fill('a-token-of-some-length')
    await page.keyboard.press('Enter')
    await dashboardLoaded(page)
    await rows(page).first().waitFor()
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('says that the server is gone', async () => {
    const { page, server } = await open()
    await rows(page).first().waitFor()
    await server.close()
    await page.getByText('Stale since').waitFor()
  })
})
