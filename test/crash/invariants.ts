import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { unchain } from '../../engine/audit/chain.ts'
import { readTrail, type TrailLine } from '../../engine/audit/reader.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import { replay } from '../../engine/replay.ts'
import { readRun } from '../../engine/session/live-directory.ts'
import { verifyRun } from '../../engine/verify.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { everyExecutionOnce, meantOrders, noOrderTwice, sameMoney } from './accounts.ts'
import type { KilledRun } from './killed-run.ts'
import { CHECK_INTERVAL_MS, TAPE } from './setups.ts'

/** What must be true of a run that was killed and gone on with, however often and wherever. Returns its trail. */
export async function expectWhole(run: KilledRun): Promise<readonly TrailLine[]> {
  const { lines, torn } = readTrail(join(run.directory, 'audit.jsonl'))
  expect(torn).toBeNull()
  nothingLost(run, lines)
  everyDecisionOnce(run, lines)
  noOrderTwice(run, lines)
  everyExecutionOnce(run, lines)
  sameMoney(run, lines)
  neverNakedForLong(run)
  const { sound, firstFault, endKnown, state } = verifyRun(run.directory)
  expect({ sound, firstFault, endKnown, state })
    .toEqual({ sound: true, firstFault: null, endKnown: true, state: 'finished' })
  const again = await replay(run.directory, quietWorld())
  expect(again.difference).toBeNull()
  expect(again.lines).toBe(lines.length)
  return lines
}

/** Each process found all whole lines of the one before; what it found torn is kept and reported. */
function nothingLost({ lives, directory }: KilledRun, lines: readonly TrailLine[]): void {
  const last = lives.at(-1)!.trail
  const torn: string[] = []
  for (const { trail } of lives) {
    const whole = trail.subarray(0, trail.lastIndexOf('\n') + 1)
    expect(last.subarray(0, whole.length).equals(whole)).toBe(true)
    if (whole.length < trail.length) torn.push(trail.subarray(whole.length).toString('utf8'))
  }
  const alarms = lines.filter(({ fields }) => fields.type === 'alarm' && fields['event'] === 'torn-line')
  expect(alarms.map(({ fields }) => readFileSync(String(fields['file']), 'utf8')).sort()).toEqual(torn.sort())
  expect(existsSync(join(directory, 'audit.torn-1.txt'))).toBe(torn.length > 0)
}

/** One decision for each candle, in the trail and in the view. */
function everyDecisionOnce({ view, lives }: KilledRun, lines: readonly TrailLine[]): void {
  const decisions = lines.filter(({ fields }) => fields.type === 'decision')
  const times = decisions.map(({ fields }) => Date.parse(fields.timestamp!)).sort((a, b) => a - b)
  const closes = Array.from(TAPE.openTime, (time) => time + timeframeMs('1m'))
  // A run begins with the first candle that one of its processes could write down.
  const begunLater = lives.some(({ killedAt, trail }) => killedAt !== null && !trail.includes('"event": "candles"'))
  expect(times).toEqual(begunLater ? closes.slice(-times.length) : closes)
  expect(times.length).toBeGreaterThanOrEqual(closes.length - lives.length + 1)
  expect(view).toBe(decisions.map(({ raw }) => `${unchain(raw)!.line}\n`).join(''))
}

/** No process leaves what is held without protection for longer than one wake-up, counted from where it began. */
function neverNakedForLong({ watch, lives }: KilledRun): void {
  lives.forEach(({ startedAt }, number) => {
    const endedAt = lives[number + 1]?.startedAt ?? Infinity
    const naked = watch.spells.map(({ from, to }) => Math.min(to, endedAt) - Math.max(from, startedAt))
    expect(Math.max(0, ...naked)).toBeLessThanOrEqual(CHECK_INTERVAL_MS)
  })
}

/** The same trades as in an undisturbed run, unless an order never reached the exchange or faults struck elsewhere. */
export function expectSameTrades(
  run: KilledRun, undisturbed: readonly TrailLine[], lines: readonly TrailLine[],
): void {
  const arrived = new Set(run.exchange.orders().map(({ clientOrderId }) => clientOrderId))
  const lost = [...meantOrders(readRun(run.directory), lines).keys()].some((id) => !arrived.has(id))
  if (lost || run.setup.exchange?.faults !== undefined) return
  expect(tradesOf(lines)).toEqual(tradesOf(undisturbed))
}

const tradesOf = (lines: readonly TrailLine[]): object[] =>
  lines.filter(({ fields }) => fields.type === 'trade').map(({ fields: { seq: _seq, run: _run, ...trade } }) => trade)
