import type { ResolvedScenario } from '../config/resolve.ts'
import { TapedeckError } from '../errors.ts'
import { percent } from '../report/format.ts'
import type { Terminal } from './terminal.ts'

/** Exit code of a run by its scenario's `minCoverage`: 0, or 3 with a line that says what was missed. */
export function coverageGate({ name, ai }: ResolvedScenario, coverage: number | null, terminal: Terminal): number {
  const least = ai?.minCoverage ?? null
  if (least === null || (coverage ?? 0) >= least) return 0
  return terminal.fail(new TapedeckError('TD_COVERAGE',
    `${name}: an AI answered ${percent(coverage ?? 0)} of the decisions that it was asked about, expected ${percent(least)} (minCoverage)`))
}
