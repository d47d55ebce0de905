import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Path of a Chromium on this machine; undefined where there is none. */
export const browserPath = process.env['CHROMIUM_PATH'] ?? CANDIDATES.find((path) => existsSync(path))

/** The suite's name, with the reason where it is skipped. */
export const browserSuite = (name: string): string =>
  browserPath === undefined ? `${name} (no browser: set CHROMIUM_PATH or install one of ${CANDIDATES.join(', ')})` : name

export const launchBrowser = (): Promise<Browser> => chromium.launch({
  ...(browserPath === undefined ? {} : { executablePath: browserPath }),
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
})

/** Console errors and warnings of a page, and exceptions nobody caught, as they come. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return complaints
}

export const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

/** Waits until the dashboard hears of its session and every panel has what it shows first. */
export async function dashboardLoaded(page: Page): Promise<void> {
  await page.getByText('● Live').waitFor()
  await page.locator('main[aria-busy="false"]').waitFor()
}
