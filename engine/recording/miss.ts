import { isoTime } from '../core/time.ts'
import { TapedeckError } from '../errors.ts'
import type { ProviderRequest } from '../ports.ts'
import { canonicalJson, requestKey } from './key.ts'
import type { Known, TapeIndex } from './tape-index.ts'

/** Lines of a difference that are shown; more say nothing new. */
const SHOWN = 12

/** A request as lines that can be held against each other. */
function linesOf({ messages, ...rest }: ProviderRequest): string[] {
  const fields = Object.entries(rest).flatMap(([name, value]) =>
    (typeof value === 'string' ? value.split('\n').map((line) => `${name}: ${line}`) : [`${name}: ${canonicalJson(value)}`]))
  return [...fields, ...messages.flatMap(({ role, text }, index) => text.split('\n').map((line) => `messages.${index} (${role}): ${line}`))]
}

/** How many lines two requests share, in any order. */
function likeness(asked: ReadonlySet<string>, { line }: Known): number {
  return linesOf(line.request).reduce((shared, one) => shared + Number(asked.has(one)), 0)
}

/** The recorded request that is most like the one that was asked, or null for an empty recording. */
export function nearest(request: ProviderRequest, index: TapeIndex): Known | null {
  const asked = new Set(linesOf(request))
  let best: Known | null = null
  let most = -1
  for (const known of index.exchanges()) {
    const shared = likeness(asked, known)
    if (shared <= most) continue
    most = shared
    best = known
  }
  return best
}

/** Line by line: `-` was recorded, `+` is asked now. */
export function differenceOf(recorded: ProviderRequest, asked: ProviderRequest): string[] {
  const [before, after] = [linesOf(recorded), linesOf(asked)]
  const [had, has] = [new Set(before), new Set(after)]
  const isAlike = before.every((line) => has.has(line)) && after.every((line) => had.has(line))
  // The same lines in another order or number differ by their places.
  const gone = before.filter((line, index) => (isAlike ? line !== after[index] : !has.has(line)))
  const come = after.filter((line, index) => (isAlike ? line !== before[index] : !had.has(line)))
  const all = gone.flatMap((line, index) => [`- ${line}`, ...(index < come.length ? [`+ ${come[index]}`] : [])])
  return [...all, ...come.slice(gone.length).map((line) => `+ ${line}`)]
}

/** TD_RECORDING_MISS: what was asked, and how it differs from what was recorded. */
export function miss(
  folder: string, request: ProviderRequest, { symbol, time }: { readonly symbol: string; readonly time: number }, index: TapeIndex,
  expected: Known | null,
): TapedeckError {
  const like = expected ?? nearest(request, index)
  const what = `${folder}: no answer of ${request.provider} (${request.model}) is recorded for ${symbol} at ${isoTime(time)}, `
    + `key ${requestKey(request).slice(0, 12)}; record it with tapedeck record <scenario>`
  if (like === null) return new TapedeckError('TD_RECORDING_MISS', `${what}. The recording is empty.`)
  const difference = differenceOf(like.line.request, request)
  const shown = difference.slice(0, SHOWN).map((line) => `    ${line}`)
  const rest = difference.length > SHOWN ? [`    … and ${difference.length - SHOWN} more lines`] : []
  return new TapedeckError('TD_RECORDING_MISS', [
    `${what}.`, `  The nearest recorded request (line ${like.line.seq}, - recorded, + asked):`, ...shown, ...rest,
  ].join('\n'))
}
