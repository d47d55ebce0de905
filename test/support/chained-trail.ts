import { ChainedLog } from '../../engine/audit/chain.ts'

/** A line as the trail writes it. */
export const trailLine = (seq: number, fields: object = {}, run = 'run-1'): string => {
  const type = seq === 1 ? { type: 'session', seq, run, timestamp: null, event: 'start' }
    : { type: 'alarm', seq, run, timestamp: '2024-01-01T00:00:00.000Z', said: 'grüße' }
  return `${JSON.stringify({ ...type, ...fields })}\n`
}

/** A decision line, spaced as the trail writes it. */
export const decisionLine = (seq: number, run = 'run-1'): string =>
  `{"type": "decision", "seq": ${seq}, "run": ${JSON.stringify(run)}, "timestamp": "2024-01-01T00:00:00.000Z", `
  + '"status": "SKIPPED"}\n'

/** Writes `lines` as a chained trail and returns the hash of the last. */
export function writeChained(path: string, lines: readonly string[]): string {
  const log = ChainedLog.open(path)
  for (const line of lines) log.append(line, false)
  log.close()
  return log.head
}
