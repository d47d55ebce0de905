import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison, PassDetail } from './compare/comparison.ts'
import { isoTime } from './core/time.ts'
import { messageOf, TapedeckError } from './errors.ts'
import { RunDirectory } from './session/run-directory.ts'

/** Writes a comparison's directory: comparison.json, cells.csv, report.html, and run.json with the wall-clock values. Returns its path. */
export async function writeComparison(
  { comparison, details }: { readonly comparison: Comparison; readonly details: readonly PassDetail[] }, out: string,
  { startedAt, finishedAt, page }: { readonly startedAt: number; readonly finishedAt: number; readonly page: boolean },
): Promise<string> {
  const directory = new RunDirectory(out, comparison.id)
  try {
    directory.write('comparison.json', `${JSON.stringify(comparison)}\n`)
    const { renderCsv } = await import('./report/comparison/csv.ts')
    directory.write('cells.csv', renderCsv(comparison))
    if (page) {
      const { renderComparisonPage } = await import('./report/comparison/page.ts')
      directory.write('report.html', renderComparisonPage(comparison, details))
    }
    directory.write('run.json', `${JSON.stringify({
      kind: 'comparison', run: comparison.id, state: 'finished', scenario: aboutOf(comparison), cells: comparison.cells.map(({ id, name }) => ({ id, name })),
      versions: { tapedeck: comparison.tapedeck, node: process.versions.node }, startedAt: isoTime(startedAt), finishedAt: isoTime(finishedAt),
    }, null, 2)}\n`)
    directory.finish()
    return directory.path
  } catch (error) {
    directory.discard()
    throw error
  }
}

/** What a list of runs shows of it. */
const aboutOf = ({ name, windows }: Comparison): object =>
  ({ name, symbols: [...new Set(windows.flatMap(({ symbols }) => symbols))], timeframe: [...new Set(windows.map(({ timeframe }) => timeframe))].join(', ') })

/** Reads what `--baseline` names: comparison.json, its folder, or what --json printed. Throws TD_USAGE. */
export function readComparison(path: string): Comparison {
  const at = path.endsWith('.json') ? path : join(path, 'comparison.json')
  try {
    const read = JSON.parse(readFileSync(at, 'utf8')) as Comparison
    if (read.format === 1 && Array.isArray(read.cells)) return read
  } catch (error) {
    throw new TapedeckError('TD_USAGE', `${path}: no comparison can be read there (${messageOf(error)}); give the folder of one, or its comparison.json`, { cause: error })
  }
  throw new TapedeckError('TD_USAGE', `${path}: that is no comparison; give the folder of one, or its comparison.json`)
}
