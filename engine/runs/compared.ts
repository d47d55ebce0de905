import { TapedeckError } from '../errors.ts'
import { daysText, type ComparedRun } from '../report/side-by-side.ts'
import { readEquity } from './recall.ts'
import { figuresOf } from './show.ts'
import type { Subject } from './subject.ts'

/** What a run has to show beside others. Throws TD_USAGE for one that has no figures yet. */
export function comparedRun(subject: Subject): ComparedRun {
  const { record, scenario, path, id, state } = subject
  const figures = figuresOf(record['figures'])
  if (figures === null || scenario === null) {
    throw new TapedeckError('TD_USAGE', `${path}: it has no figures (it is ${state}); only runs that have ended can be put side by side`)
  }
  const equity = readEquity(path) ?? { firstDay: 0, values: new Float64Array(0) }
  return {
    id, quote: scenario.symbols[0].split('/')[1], figures, firstDay: equity.firstDay, dailyEquity: equity.values,
    about: `${scenario.symbols.join(', ')} ${scenario.timeframe}, ${scenario.strategy.name}, ${daysText(equity.firstDay, equity.values.length)}`,
    warnings: Array.isArray(record['warnings']) ? record['warnings'].filter((warning) => typeof warning === 'string') : [],
  }
}
