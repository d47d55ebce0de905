import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll } from 'vitest'
import { registry, type World } from '../../engine/assemble.ts'
import { backtest, type BacktestOptions, type BacktestResult } from '../../engine/backtest.ts'
import { resolveScenario } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { readSettings, type Environment } from '../../engine/config/settings.ts'

const folders: string[] = []
if (process.env['VITEST']) afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone when the test file ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tapedeck-'))
  folders.push(folder)
  return folder
}

export const quietWorld = (signal: AbortSignal = new AbortController().signal): World => ({
  env: {}, signal, stopwatch: () => performance.now(),
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
})

/** Runs a scenario given as an object, through the same files and checks as the command line does. */
export async function runScenario(
  scenario: object, options: Partial<BacktestOptions> = {}, env: Environment = {}, folder = temporaryFolder(),
): Promise<BacktestResult> {
  const file = join(folder, 'scenario.yaml')
  writeFileSync(file, stringify(scenario))
  const resolution = await resolveScenario(loadScenario(file), readSettings(env), registry)
  return backtest(resolution, quietWorld(), { out: null, report: false, now: () => 0, ...options })
}
