import { existsSync, realpathSync } from 'node:fs'
import { isoTime } from '../core/time.ts'
import type { Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'
import type { MarketSource } from '../ports.ts'
import { CandleFile } from './candle-file.ts'
import { startProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** Patterns and links hide that the output is one of the files that were read. */
function refuseToReplace(target: string, sources: readonly string[]): void {
  if (!existsSync(target)) return
  const same = sources.find((source) => existsSync(source) && realpathSync(source) === realpathSync(target))
  if (same !== undefined) {
    throw new TapedeckError('TD_USAGE', `--output ${target}: is the input ${same} itself; give another name`)
  }
}

/** What was read, and where it went. */
export interface Copied {
  readonly candles: number
  readonly timeframe: Timeframe
  readonly first: string
  readonly last: string
  readonly output: string | null
  readonly sha256: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

/** Reads a tape to its end, writing it on the way when there is a target. Throws what reading and writing throw, TD_TAPE_EMPTY. */
export async function copyCandles(
  market: MarketSource, timeframe: Timeframe, target: string | null, json: boolean, terminal: Terminal,
): Promise<Copied> {
  const file = target === null ? null : new CandleFile(target)
  if (file !== null) terminal.onLeave(() => file.discard())
  const progress = await startProgress('candles', !json)
  let candles = 0
  let first = 0
  let last = 0
  try {
    for await (const event of market.events()) {
      if (event.kind !== 'candles') continue
      const { columns, start, end } = event
      if (candles === 0) first = columns.openTime[start]
      last = columns.openTime[end - 1]
      candles += end - start
      await file?.add(columns, start, end)
      progress.update(market.progress?.() ?? null, candles)
    }
    // A market ends early when it is interrupted: what came is not the whole tape.
    terminal.world.signal.throwIfAborted()
    if (candles === 0) throw new TapedeckError('TD_TAPE_EMPTY', 'there is no candle to read')
    if (target !== null) refuseToReplace(target, Object.keys(market.facts?.().files ?? {}))
    await file?.finish()
  } catch (error) {
    file?.discard()
    throw error
  } finally {
    progress.stop()
  }
  const { files: hashes = {}, notes = [] } = market.facts?.() ?? {}
  return { candles, timeframe, first: isoTime(first), last: isoTime(last), output: target, sha256: hashes, notes }
}

export function tellCopied(copied: Copied, json: boolean, terminal: Terminal): void {
  if (json) return terminal.json(copied)
  const { candles, timeframe, first, last, output, sha256, notes } = copied
  const outcome = output === null ? ': sound' : ` → ${output}`
  terminal.print(`${candles.toLocaleString('en')} candles of ${timeframe}, ${first} … ${last}${outcome}`)
  for (const note of notes) terminal.print(`  ${note}`)
  for (const [name, hash] of Object.entries(sha256)) terminal.print(`  ${name}  sha256 ${hash}`)
}
