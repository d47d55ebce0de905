import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { scenarioHash } from './backtest.ts'
import type { ResolvedScenario } from './config/resolve.ts'
import { PARITY_FILE } from './parity.ts'
import { change, plural } from './report/format.ts'
import { recordsIn, type RunRecord } from './session/live-directory.ts'

/** What is known of exactly this scenario before it trades. */
export interface Flight {
  readonly backtest: Flown | null
  readonly rehearsal: Flown | null
  /** Of the newest rehearsal that was compared. */
  readonly parity: { readonly run: string; readonly compared: number; readonly equal: number; readonly differences: number } | null
}

interface Flown {
  readonly run: string
  readonly startedAt: string
  readonly totalReturn: number | null
  readonly trades: number
}

const compared = z.object({ compared: z.number(), equal: z.number(), differences: z.number() })
const figures = z.object({ totalReturn: z.number().nullable(), trades: z.number() })

/** The newest finished backtest and rehearsal of the scenario below `out`, by its hash, and how they compared. */
export function flightOf(scenario: ResolvedScenario, out: string): Flight {
  const hash = scenarioHash(scenario)
  const own = recordsIn(out).filter(({ record }) => record['scenarioSha256'] === hash && record['state'] === 'finished')
  const rehearsals = own.filter(({ record }) => record['kind'] === 'rehearsal')
  const parities = rehearsals.flatMap(({ path, record }) => {
    const read = readParity(path)
    return read === null ? [] : [{ run: String(record['run']), ...read }]
  })
  return {
    backtest: flown(own.find(({ record }) => record['venue'] === undefined)?.record),
    rehearsal: flown(rehearsals[0]?.record),
    parity: parities[0] ?? null,
  }
}

function flown(record: RunRecord | undefined): Flown | null {
  if (record === undefined) return null
  const read = figures.safeParse(record['figures'])
  return read.success ? { run: String(record['run']), startedAt: String(record['startedAt']), ...read.data } : null
}

function readParity(path: string): z.infer<typeof compared> | null {
  try {
    return compared.parse(JSON.parse(readFileSync(join(path, PARITY_FILE), 'utf8')))
  } catch {
    return null
  }
}

/** Whether all three were done, and the comparison found nothing. */
export const isCleared = ({ backtest, rehearsal, parity }: Flight): boolean =>
  backtest !== null && rehearsal !== null && parity !== null && parity.differences === 0

/** A line each, as a start shows them. */
export function flightLines({ backtest, rehearsal, parity }: Flight, file: string): string[] {
  const told = (what: string, one: Flown | null, remedy: string): string => (one === null ? `✗ ${what}: none of exactly this scenario; ${remedy}`
    : `✓ ${what}: ${change(one.totalReturn)}, ${plural(one.trades, 'trade')}, ${one.startedAt.slice(0, 16).replace('T', ' ')} UTC (${one.run})`)
  return [
    told('backtest', backtest, `tapedeck backtest ${file}`),
    told('rehearsal', rehearsal, `tapedeck rehearse ${file}`),
    parity === null ? '✗ parity: no rehearsal was compared; tapedeck parity <run>'
      : parity.differences === 0 ? `✓ parity: ${plural(parity.equal, 'trade')} equal (${parity.run})`
        : `✗ parity: ${plural(parity.differences, 'difference')} in ${plural(parity.compared, 'trade')} (${parity.run})`,
  ]
}
