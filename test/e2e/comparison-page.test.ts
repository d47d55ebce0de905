import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { renderComparisonPage } from '../../engine/report/comparison/page.ts'
import { browserPath, browserSuite, complaintsOf, launchBrowser, scrollsSideways } from '../support/browser.ts'
import { comparisonFixture } from '../support/comparison-fixture.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const EVIL = '</script><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">\u001B[31m'

interface Opened {
  readonly page: Page
  /** Console errors and warnings, and exceptions nobody caught. */
  readonly complaints: string[]
  readonly requests: string[]
}

describe.skipIf(browserPath === undefined)(browserSuite('comparison page'), () => {
  let browser: Browser
  let directory: string
  const { comparison, details } = comparisonFixture()
  const files = { comparison: '', evil: '', large: '', empty: '' }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comparison-page-'))
    const write = async (name: keyof typeof files, html: string): Promise<void> => {
      const path = join(directory, `${name}.html`)
      await writeFile(path, html)
      files[name] = pathToFileURL(path).href
    }
    const evil = comparisonFixture({ hostile: EVIL })
    const large = comparisonFixture({ thresholds: Array.from({ length: 83 }, (_, index) => Math.round(500 + index * 5) / 1000), candles: 20_000, opinions: 500 })
    await write('comparison', renderComparisonPage(comparison, details))
    await write('evil', renderComparisonPage(evil.comparison, evil.details))
    await write('large', renderComparisonPage(large.comparison, large.details.slice(0, 1)))
    await write('empty', renderComparisonPage({ ...comparison, cells: [], windows: [], pairs: [], curves: [], disagreements: [], across: [] }, []))
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
    const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, offline: true, ...options })
    const requests: string[] = []
    const page = await context.newPage()
    const complaints = complaintsOf(page)
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(files[name])
    if (options.javaScriptEnabled !== false && name !== 'empty') await page.locator('#equity-drawing svg').waitFor()
    return { page, complaints, requests }
  }

  /** Names of the cells that are to be seen, from the top. */
  const names = (page: Page): Promise<string[]> => page.evaluate(`[...document.querySelectorAll('#matrix-table tbody tr[data-cell]:not([hidden])')]
    .map((row) => row.dataset.scenario + ' ' + row.querySelector('[data-open]').textContent)`)

  const column = (page: Page, heading: string): Promise<(number | null)[]> => page.evaluate(`(() => {
    const table = document.querySelector('#matrix-table')
    const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.startsWith('${heading}'))
    return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.v === '' ? null : Number(row.cells[at].dataset.v))
  })()`)

  it('opens offline without a complaint and asks for nothing but itself', async () => {
    for (const name of ['comparison', 'empty'] as const) {
      const { page, complaints, requests } = await open(name)
      await page.waitForTimeout(200)
      expect(complaints).toEqual([])
      expect(requests).toEqual([files[name]])
    }
  })

  it('sorts by any column, both ways, with the keyboard too; what has no value comes last', async () => {
    const { page } = await open('comparison')
    const before = await column(page, 'Sharpe')
    const known = before.filter((value) => value !== null)
    const nothing = before.filter((value) => value === null)
    const rising = known.toSorted((a, b) => a - b)
    await page.getByRole('button', { name: 'Sharpe' }).focus()
    await page.keyboard.press('Enter')
    expect(await column(page, 'Sharpe')).toEqual([...rising, ...nothing])
    expect(await page.locator('#matrix-table th[aria-sort]').getAttribute('aria-sort')).toBe('ascending')
    await page.keyboard.press('Enter')
    expect(await column(page, 'Sharpe')).toEqual([...rising.reverse(), ...nothing])
    expect(await page.locator('#matrix-table th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
  })

  it('filters by text, by axis and by badge, and says how many are left', async () => {
    const { page } = await open('comparison')
    await page.getByLabel('Find').fill('gemini january')
    expect(await names(page)).toEqual(['eth-january gemini · 0.5', 'eth-january gemini · 0.6', 'eth-january gemini · 0.7', 'eth-january gemini · 0.9'])
    expect(await page.locator('#matched').textContent()).toBe('4 of 26 cells')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.locator('[data-filter=minConfidence]').selectOption('0.6')
    await page.locator('[data-filter=scenario]').selectOption('btc-2022')
    expect(await names(page)).toEqual(['btc-2022 gemini · 0.6', 'btc-2022 openai · 0.6', 'btc-2022 simulated · 0.6', 'btc-2022 technical · 0.6'])
    // Holding stays beside what is left.
    expect(await page.locator('#matrix-table tr.quiet:not([hidden])', { hasText: 'Buy and hold' }).count()).toBe(1)
    await page.locator('[data-filter=badge]').selectOption('best')
    expect(await names(page)).toEqual(['btc-2022 gemini · 0.6'])
    await page.getByRole('button', { name: 'Clear' }).click()
    expect(await names(page)).toHaveLength(26)
  })

  it('leads from a cell to its decisions, what was said and the candles around it, by keyboard', async () => {
    const { page, complaints } = await open('comparison')
    await page.locator('tr[data-cell="5"] [data-open]').focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('#cell-name').textContent()).toBe('btc-2022 · openai · 0.6')
    expect(await page.evaluate('document.activeElement.id')).toBe('cell-name')
    expect(await page.locator('#decisions-note').textContent()).toBe('24 of 24 decisions. 12 opinions of this pass are left out of the page to keep it small.')
    await page.locator('#status-choice').selectOption('REJECTED')
    const cell = comparison.cells[5]
    const detail = details.find(({ pass }) => pass === cell.pass)!
    const refused = detail.decisions[cell.id].filter(({ status }) => status === 'REJECTED')
    expect(refused.length).toBeGreaterThan(2)
    expect(await page.locator('#decisions-table tbody tr').count()).toBe(refused.length)
    const third = detail.opinions[refused[2].opinion]
    await page.locator('#decisions-table tbody button').nth(2).focus()
    await page.keyboard.press('Enter')
    const panel = page.locator('#decision')
    expect(await panel.locator('h4').textContent()).toBe(`${new Date(third.time).toISOString().slice(0, 16).replace('T', ' ')} UTC · BTC/USDT`)
    expect(await panel.locator('.turns li').allTextContents()).toEqual(third.turns.map(({ action, confidence, reasoning }, turn) =>
      `Turn ${turn + 1}: ${action}, ${Math.round(confidence * 100)}\u00A0% sure${reasoning}`))
    await panel.locator('svg').waitFor()
    expect(await panel.locator('.candle').count()).toBe(41)
    // The candle that was decided about closes at the opinion's time, and shows its own close.
    const chart = detail.charts[0]
    const at = chart.openTime.subarray(0, chart.length).indexOf(third.time - chart.stepMs)
    const [six, digits] = [Number(chart.close[at].toPrecision(6)), 2]
    expect(await panel.locator('svg').getAttribute('aria-label')).toContain(`close ${six.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })}.`)
    expect(await page.locator('#decisions-table [aria-current]').count()).toBe(1)
    expect(complaints).toEqual([])
  })

  it('draws thresholds with bands and lines, and calibration with bars and the diagonal', async () => {
    const { page } = await open('comparison')
    const first = page.locator('[data-curves="0"][data-kind=expectancy]')
    expect(await first.locator('path.band').count()).toBe(3)
    expect(await first.locator('.upright').count()).toBe(2)
    expect(await first.locator('text').allTextContents()).toEqual(expect.arrayContaining(['base rate', 'break-even']))
    // Nothing traded at the highest threshold: it has no expectancy, but a coverage.
    expect(await first.locator('path.sign').count()).toBe(9)
    expect(await page.locator('[data-curves="0"][data-kind=coverage] path.sign').count()).toBe(12)
    expect(await page.locator('[data-curves="1"][data-kind=expectancy] path.band').count()).toBe(0)
    const diagram = page.locator('[data-reliability="0"]')
    expect(await diagram.locator('circle.sign').count()).toBe(5)
    expect(await diagram.locator('.diagonal').count()).toBe(1)
  })

  it('lays the equity of ticked cells over each other, six at most, and reads any day', async () => {
    const { page } = await open('comparison')
    const curves = page.locator('#equity-drawing path.stroke')
    expect(await curves.count()).toBe(1)
    for (const cell of [0, 2, 3, 4, 5, 6]) await page.locator(`[data-pick="${cell}"]`).check()
    expect(await curves.count()).toBe(6)
    expect(await page.locator('[data-pick="1"]').isChecked()).toBe(false)
    await page.locator('[data-pick="4"]').uncheck()
    expect(await curves.count()).toBe(5)
    await page.locator('#equity-day').focus()
    await page.keyboard.press('Home')
    expect(await page.locator('#equity-legend .when').textContent()).toBe('2022-01-03')
    await page.keyboard.press('End')
    expect(await page.locator('#equity-legend').textContent()).toContain('Buy and hold ▼ −8.31\u00A0%')
    await page.locator('#equity-scenario').selectOption({ label: 'eth-january' })
    expect(await curves.count()).toBe(1)
    expect(await page.locator('#equity-legend').textContent()).toContain('eth-january · gemini · 0.6 ▲ +2.33\u00A0%')
  })

  it.each([390, 794, 1300])('fits into %i pixels without scrolling sideways', async (width) => {
    for (const name of ['comparison', 'evil', 'empty'] as const) {
      const { page } = await open(name, { viewport: { width, height: 800 } })
      expect(await scrollsSideways(page), name).toBe(false)
    }
  })

  it.each(['light', 'dark'] as const)('has nothing serious for axe-core in %s colours', async (colorScheme) => {
    // What holds the page's own script to its hash would hold axe-core off too.
    const { page } = await open('comparison', { colorScheme, bypassCSP: true })
    await page.evaluate(axe)
    expect(await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join('\\n')))`)).toEqual([])
  })

  it('says everything but charts and decisions without a script', async () => {
    const { page } = await open('comparison', { javaScriptEnabled: false })
    expect(await page.locator('#matrix-table tbody tr').count()).toBe(32)
    expect(await page.getByText('Charts need JavaScript').first().isVisible()).toBe(true)
    expect(await page.locator('.filters').isVisible()).toBe(false)
    expect(await page.locator('#decisions-table').isVisible()).toBe(false)
  })

  it('runs nothing that was smuggled in with names, reasons and answers', async () => {
    const { page } = await open('evil')
    await page.locator('tr[data-cell="1"] [data-open]').click()
    await page.waitForTimeout(200)
    expect(await page.title()).toContain('<script>')
    expect(await page.locator('#decision .turns').textContent()).toContain('</script><script>')
    expect(await page.locator('img').count()).toBe(0)
  })

  it('opens quickly with 500 cells and 20,000 candles', async () => {
    const begun = performance.now()
    const { page, complaints } = await open('large')
    expect(performance.now() - begun).toBeLessThan(8_000)
    expect(await page.locator('#matched').textContent()).toBe('500 of 500 cells')
    expect(await page.locator('#decisions-table tbody tr').count()).toBe(100)
    await page.getByRole('button', { name: 'Show more' }).click()
    expect(await page.locator('#decisions-table tbody tr').count()).toBe(200)
    await page.getByRole('button', { name: 'Net return' }).click()
    expect(complaints).toEqual([])
  })
})
