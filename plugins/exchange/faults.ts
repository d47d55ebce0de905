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

/** How a fault is written on the command line. */
export const GRAMMAR = 'kind[@n,n…][:rate][:on=TEXT][:value=N][:from=TIME][:to=TIME], such as lost-answer:0.1 or rate-limit@3,7:on=POST /order:value=2'

type MutableRule = { -readonly [K in keyof FaultRule]: FaultRule[K] }

/** What each named part of a fault's text sets; returns what is wrong with it, or null. */
const PARTS: Readonly<Record<string, (rule: MutableRule, text: string) => string | null>> = {
  on: (rule, text) => {
    rule.on = text
    return null
  },
  rate: (rule, text) => {
    rule.rate = numberOf(text)
    return rule.rate >= 0 && rule.rate <= 1 ? null : `rate "${text}" is not a share from 0 to 1`
  },
  value: (rule, text) => {
    rule.value = numberOf(text)
    return Number.isFinite(rule.value) ? null : `value "${text}" is not a number`
  },
  from: (rule, text) => setTime(rule, 'from', text),
  to: (rule, text) => setTime(rule, 'to', text),
}

const numberOf = (text: string): number => (text === '' ? NaN : Number(text))

function setTime(rule: MutableRule, name: 'from' | 'to', text: string): string | null {
  const time = parseTime(text)
  rule[name] = time ?? NaN
  return time === null ? `${name} "${text}" is not a time` : null
}

/** Reads a fault from the command line. Throws `TD_USAGE`. */
export function parseFault(text: string): FaultRule {
  const [, kind, at, rate, rest] = /^([^@:]*)(?:@([^:]*))?(?::([\d.]+)(?=:|$))?(.*)$/s.exec(text)!
  if (!isKind(kind)) {
    throw new TapedeckError('TD_USAGE', `--fault ${text}: no fault is called "${kind}".${didYouMean(kind, KINDS)} There are: ${KINDS.join(', ')}.`)
  }
  const refuse = (what: string): never => {
    throw new TapedeckError('TD_USAGE', `--fault ${text}: ${what}. Expected ${GRAMMAR}.`)
  }
  const rule: MutableRule = { fault: kind }
  if (at !== undefined) {
    rule.at = at.split(',').map(numberOf)
    if (!rule.at.every((number) => Number.isInteger(number) && number > 0)) refuse(`"${at}" must be whole numbers from 1 on`)
  }
  // Times and paths may hold colons themselves, so a part starts only where its name does.
  const parts = rest.split(/:(?=[a-z]+=)/).filter((part) => part !== '')
  for (const part of rate === undefined ? parts : [`rate=${rate}`, ...parts]) {
    const [, name, value] = /^([a-z]+)=(.*)$/s.exec(part) ?? ['', '', '']
    const wrong = Object.hasOwn(PARTS, name) ? PARTS[name](rule, value) : `"${part}" is none of the parts`
    if (wrong !== null) refuse(wrong)
  }
  if (rule.rate !== undefined && rule.at !== undefined) refuse('a rate and counted requests exclude each other')
  return rule
}
