import { parseTime, type EpochMs } from '../core/time.ts'
import { TapedeckError } from '../errors.ts'

/** What a person wants to have explained. */
export type Wish =
  | { readonly kind: 'seq'; readonly seq: number }
  | { readonly kind: 'time'; readonly time: EpochMs }
  | { readonly kind: 'trade'; readonly number: number }
  | { readonly kind: 'order'; readonly id: string }

export const WISH_GRAMMAR = [
  'What is explained:',
  '  95                        the decision on line 95 of the trail (its seq)',
  "  2024-01-16T10:00          the decision at that time, UTC; also '2024-01-16 10:00' and seconds",
  '  trade:3, t3, #3           the third closed trade, from the decision that opened it to its exit',
  '  0-1705399200-entry        the decision or trade of an order',
].join('\n')

const TRADE = /^(?:trade:|t|#)(\d+)$/i
/** Orders of the engine begin with the symbol's number; a venue's own begin with a letter and hold a dash. */
const ORDER = /^[\w.]+-[\w.-]+$/

/** Reads {@link WISH_GRAMMAR}. Throws TD_USAGE. */
export function parseWish(text: string): Wish {
  const trimmed = text.trim()
  const [, number] = TRADE.exec(trimmed) ?? []
  if (number !== undefined) {
    if (Number(number) >= 1) return { kind: 'trade', number: Number(number) }
    throw new TapedeckError('TD_USAGE', `${trimmed}: trades count from 1`)
  }
  const time = parseTime(trimmed.replace(/^(\d{4}-\d{2}-\d{2}) (?=\d)/, '$1T'))
  if (time !== null) return { kind: 'time', time }
  if (/^\d+$/.test(trimmed)) return { kind: 'seq', seq: Number(trimmed) }
  if (ORDER.test(trimmed) && !/^\d{4}-\d{2}/.test(trimmed)) return { kind: 'order', id: trimmed }
  throw new TapedeckError('TD_USAGE',
    `${trimmed}: expected the number of a line (95), a time (2024-01-16T10:00), a trade (t3) or the id of an order`)
}
