import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { renderHtml } from '../../engine/report/html.ts'
import { browserPath, browserSuite, complaintsOf, launchBrowser, scrollsSideways } from '../support/browser.ts'
import { reportFixture } from '../support/report-fixture.ts'
import { slice } from '../support/slice.ts'

interface Opened {
  readonly page: Page
  /** Console errors and warnings, and exceptions nobody caught. */
  readonly complaints: string[]
  readonly requests: string[]
}

describe.skipIf(browserPath === undefined)(browserSuite('report page'), () => {
  let browser: Browser
  let directory: string
  const files = { report: '', busy: '' }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'report-page-'))
    const write = async (name: keyof typeof files, html: string): Promise<void> => {
      const path = join(directory, `${name}.html`)
      await writeFile(path, html)
      files[name] = pathToFileURL(path).href
    }
    await write('report', renderHtml(reportFixture({ candles: 3_000 })))
    await write('busy', renderHtml(reportFixture({ symbols: ['BTC/USDT'], candles: 24_000, entryChance: 1, hold: 1 })))
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function open(name: keyof typeof files, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options })
    const requests: string[] = []
    const page = await context.newPage()
    const complaints = complaintsOf(page)
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(files[name])
    if (options.javaScriptEnabled !== false) {
      await page.waitForFunction('document.querySelector("#marks-note").textContent !== ""')
    }
    return { page, complaints, requests }
  }

  /** How many different colours a chart's largest canvas shows: an empty one has a single one. */
  const coloursIn = (page: Page, chart: string): Promise<number> => page.evaluate(`(() => {
    const canvases = [...document.querySelectorAll('${chart} canvas')]
    const [largest] = canvases.sort((a, b) => b.width * b.height - a.width * a.height)
    const { data } = largest.getContext('2d').getImageData(0, 0, largest.width, largest.height)
    return new Set(new Uint32Array(data.buffer)).size
  })()`)

  const column = (page: Page, heading: string): Promise<number[]> => page.evaluate(`(() => {
    const table = document.querySelector('#trades-table')
    const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.startsWith('${heading}'))
    return [...table.tBodies[0].rows].map((row) => Number(row.cells[at].dataset.v))
  })()`)

  it('opens offline without a complaint and asks for nothing but itself', async () => {
    const { page, complaints, requests } = await open('report')
    await page.waitForTimeout(300)
    expect(complaints).toEqual([])
    expect(requests).toEqual([files.report])
  })

  it('draws candles with trades, equity and drawdown', async () => {
    const { page } = await open('report')
    expect(await coloursIn(page, '#price-chart')).toBeGreaterThan(20)
    expect(await coloursIn(page, '#equity-chart')).toBeGreaterThan(20)
    expect(await page.locator('#marks-note').textContent()).toMatch(/^(\d+) of \1 trades in view\.$/)
  })

  it('sorts the trades by any column, both ways, with the keyboard too', async () => {
    const { page } = await open('report')
    const before = await column(page, 'Return')
    const rising = [...before].sort((a, b) => a - b)
    await page.getByRole('button', { name: 'Return' }).focus()
    await page.keyboard.press('Enter')
    expect(await column(page, 'Return')).toEqual(rising)
    await page.getByRole('button', { name: 'Return' }).click()
    expect(await column(page, 'Return')).toEqual(rising.reverse())
    expect(await page.locator('#trades-table th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
    await page.getByRole('button', { name: '#' }).click()
    expect(await column(page, 'Return')).toEqual(before)
  })

  it('shows a trade in the chart when its row is clicked, on the chart of its symbol', async () => {
    const { page, complaints } = await open('report')
    const row = page.locator('tr[data-trade]', { hasText: 'ETH/USDT' }).nth(2)
    const number = Number(await row.getAttribute('data-trade')) + 1
    await row.locator('td').nth(3).click()
    await expect.poll(() => page.locator('#trade-status').textContent()).toContain(`Trade ${number} ·`)
    expect(await page.locator('#symbol').inputValue()).toBe('1')
    expect(await row.getAttribute('aria-current')).toBe('true')
    await expect.poll(async () => (await page.locator('#price-chart').boundingBox())?.y).toBeLessThan(500)
    expect(await page.locator('#marks-note').textContent()).not.toMatch(/^(\d+) of \1 trades/)
    await page.getByRole('button', { name: 'Next trade' }).click()
    expect(await page.locator('#trade-status').textContent()).not.toContain(`Trade ${number} ·`)
    expect(complaints).toEqual([])
  })

  it('moves and zooms by keyboard and returns to the whole run', async () => {
    const { page } = await open('report')
    const note = (): Promise<string | null> => page.locator('#marks-note').textContent()
    const whole = await note()
    await page.locator('#price-chart').focus()
    for (let press = 0; press < 5; press++) await page.keyboard.press('+')
    await expect.poll(note).not.toBe(whole)
    await page.keyboard.press('Home')
    await expect.poll(note).toBe(whole)
  })

  it('changes the symbol', async () => {
    const { page } = await open('report')
    await page.locator('#symbol').selectOption({ label: 'ETH/USDT' })
    expect(await page.locator('#price-readout').textContent()).toContain('ETH/USDT')
  })

  it.each(slice([380, 794, 1280], 1))('fits into %i pixels without scrolling sideways', async (width) => {
    for (const name of ['report', 'busy'] as const) {
      const { page } = await open(name, { viewport: { width, height: 800 } })
      expect(await scrollsSideways(page)).toBe(false)
    }
  })

  it('is dark where the reader’s system is, charts included, and light on paper', async () => {
    const { page } = await open('report', { colorScheme: 'dark' })
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const axis = (): Promise<Buffer> => page.locator('#price-chart').screenshot()
    expect(await background()).toBe('rgb(13, 16, 22)')
    const dark = await axis()
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await background()).toBe('rgb(245, 246, 248)')
    expect((await axis()).equals(dark)).toBe(false)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await background()).toBe('rgb(255, 255, 255)')
  })

  it('says everything but the charts without a script', async () => {
    const { page } = await open('report', { javaScriptEnabled: false })
    expect(await page.locator('#trades-table tbody tr').count()).toBeGreaterThan(20)
    expect(await page.getByText('Charts need JavaScript').first().isVisible()).toBe(true)
    expect(await page.locator('#price-chart').isVisible()).toBe(false)
    expect(await page.locator('.tools').isVisible()).toBe(false)
  })

  it('stays usable with thousands of trades, and says which are marked', async () => {
    const { page, complaints } = await open('busy')
    const note = page.locator('#marks-note')
    expect(await note.textContent()).toMatch(/4,\d{3} trades in view, the first 4,000 of them marked\./)
    expect(await page.locator('#price').textContent()).toContain('Each bar joins 2 candles of 1h into 2h')
    for (let press = 0; press < 6; press++) await page.getByRole('button', { name: 'Zoom in' }).click()
    await expect.poll(() => note.textContent()).toMatch(/^[\d,]+ of 4,\d{3} trades in view\.$/)
    expect(complaints).toEqual([])
  })

  it('runs no script that was smuggled in with the data', async () => {
    const evil = '</script><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">'
    const path = join(directory, 'evil.html')
    const data = reportFixture({ candles: 300 })
    await writeFile(path, renderHtml({
      ...data, name: evil, warnings: [evil], symbols: data.symbols.map(() => evil),
      charts: data.charts.map((chart) => ({ ...chart, symbol: evil })),
    }))
    const page = await browser.newPage()
    await page.goto(pathToFileURL(path).href)
    await page.waitForTimeout(300)
    expect(await page.title()).toContain('<script>')
    expect(await page.locator('img').count()).toBe(0)
  })
})
