import { didYouMean } from '../../engine/core/suggest.ts'
import { parseTime, type EpochMs } from '../../engine/core/time.ts'
import { TapedeckError } from '../../engine/errors.ts'

/** Every way in which the exchange can misbehave, with what a rule's `value` means for it. */
export const FAULTS = {
  'lost-answer': 'executed, then the connection breaks without an answer',
  'lost-request': 'not executed, the connection breaks',
  'duplicate': 'executed twice where nothing forbids it, answered once',
  'partial-fill': 'a market order fills only a share (value, default 0.5), the rest expires',
  'expired': 'a market order expires without a fill: the book is empty',
  'partial-leg': 'a target fills only a share (value, default 0.5) and ends the stop',
  'rate-limit': '429 for value seconds (default 1)',
  'ban': '418 for value seconds (default 120)',
  'drift': "the server's clock is ahead by value ms (default 10000, may be negative)",
  'server-error': 'not executed; 503 page (value 0) or code -1000 (value 1), default by chance',
  'server-error-executed': 'executed, answered with 504 and code -1007',
  'overloaded': 'not executed, code -1008',
  'hang': 'no answer at all; executed (value 1) or not (value 0), default by chance',
  'slow': 'the answer takes value ms of exchange time (default 2000)',
  'garbage': 'HTTP 200 with a page (value 0), cut JSON (1) or wrong types (2), default by chance',
  'reset': 'a testnet reset: orders and trades vanish, balances are fresh; once unless told otherwise',
  'stale-candles': 'klines end value closed candles early (default 1)',
  'missing-candle': 'klines leave out the closed candle that is value-th from the end (default 1) or opens at value',
  'revised-candle': 'klines show the newest closed candle otherwise for value reads (default 1)',
} as const
export type FaultKind = keyof typeof FAULTS

/** When one fault strikes. Without `rate` and `at`: at every matching request. */
export interface FaultRule {
  readonly fault: FaultKind
  /** Share of matching requests, 0 … 1. */
  readonly rate?: number
  /** Exactly these matching requests, counted from 1. */
  readonly at?: readonly number[]
  /** Only requests whose `METHOD path ` contains this, such as `POST /order`; a space at the end shuts out `/order/test`. */
  readonly on?: string
  /** Only between these exchange times. */
  readonly from?: EpochMs
  readonly to?: EpochMs
  /** The fault's own number. */
  readonly value?: number
}

export interface FaultPlan {
  readonly seed?: number
  readonly rules: readonly FaultRule[]
}

const KINDS = Object.keys(FAULTS) as FaultKind[]
const isKind = (text: string): text is FaultKind => Object.hasOwn(FAULTS, text)

const GRAMMAR = 'kind[@n,n…][:rate][:on=TEXT][:value=N][:from=TIME][:to=TIME], such as lost-answer:0.1 or rate-limit@3,7:on=POST /order:value=2'

/** Reads a fault from the command line. Throws `TD_USAGE`. */
export function parseFault(text: string): FaultRule {
  // Times hold colons themselves, so a part starts only where its name does.
  const [head, ...parts] = text.split(/:(?=(?:rate|on|value|from|to)=|[\d.]+(?::|$))/)
  const [kind, at] = head.split('@')
  if (!isKind(kind)) {
    throw new TapedeckError('TD_USAGE', `--fault ${text}: no fault is called "${kind}".${didYouMean(kind, KINDS)} There are: ${KINDS.join(', ')}.`)
  }
  const wrong = (what: string): TapedeckError => new TapedeckError('TD_USAGE', `--fault ${text}: ${what}. Expected ${GRAMMAR}.`)
  const rule: { -readonly [K in keyof FaultRule]: FaultRule[K] } = { fault: kind }
  if (at !== undefined) {
    rule.at = at.split(',').map(Number)
    if (!rule.at.every((number) => Number.isInteger(number) && number > 0)) throw wrong(`"${at}" must be whole numbers from 1 on`)
  }
  for (const part of parts) {
    const [, name = 'rate', value] = /^(?:([a-z]+)=)?(.*)$/s.exec(part)!
    const number = value === '' ? NaN : Number(value)
    if (name === 'on') rule.on = value
    else if (name === 'from' || name === 'to') {
      const time = parseTime(value)
      if (time === null) throw wrong(`${name} "${value}" is not a time`)
      rule[name] = time
    } else if (name === 'value') {
      if (!Number.isFinite(number)) throw wrong(`value "${value}" is not a number`)
      rule.value = number
    } else {
      if (!(number >= 0 && number <= 1)) throw wrong(`rate "${value}" is not a share from 0 to 1`)
      rule.rate = number
    }
  }
  if (rule.rate !== undefined && rule.at !== undefined) throw wrong('a rate and counted requests exclude each other')
  return rule
}
