import type { Opinion } from '../core/opinion.ts'
import { RISK_RULES } from '../core/risk.ts'
import type { SnapshotView } from '../core/snapshot.ts'
import { DAY_MS, isoDay, type EpochMs } from '../core/time.ts'
import type { Consultation, Judgement } from '../pipeline/consultation.ts'
import type { Answer } from '../ports.ts'
import type { ByteWriter } from './byte-writer.ts'
import { spacedJson } from './spaced-json.ts'

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const PRICE = encode('{"price": ')
const VOLUME = encode(', "volume": ')
const TREND = { UP: encode(', "trend": "UP"'), DOWN: encode(', "trend": "DOWN"'), SIDEWAYS: encode(', "trend": "SIDEWAYS"') }
const END = encode('}, ')

/** The part of a decision line that differs from candle to candle: written as bytes, from constants encoded once. */
export class MarketPart {
  readonly #symbolPart: Uint8Array
  readonly #nameParts: readonly Uint8Array[]
  #day = -1
  #dayPart: Uint8Array = encode('')

  constructor(symbol: string, timeframe: string, names: readonly string[]) {
    this.#symbolPart = encode(`, "symbol": ${JSON.stringify(symbol)}, "timeframe": ${JSON.stringify(timeframe)}, "market_data": `)
    this.#nameParts = names.map((name) => encode(`, ${JSON.stringify(name)}: `))
  }

  /** `"timestamp": … "market_data": {…}, ` */
  write(to: ByteWriter, snapshot: SnapshotView): void {
    this.#time(to, snapshot.time)
    to.bytes(this.#symbolPart)
    to.bytes(PRICE)
    to.number(snapshot.price)
    to.bytes(VOLUME)
    to.number(snapshot.volume)
    to.bytes(TREND[snapshot.trend])
    for (let index = 0; index < this.#nameParts.length; index++) {
      to.bytes(this.#nameParts[index])
      to.rounded(snapshot.nth(index))
    }
    to.bytes(END)
  }

  #time(to: ByteWriter, time: EpochMs): void {
    const day = Math.floor(time / DAY_MS)
    if (day !== this.#day) {
      this.#day = day
      this.#dayPart = encode(`"timestamp": "${isoDay(day)}T`)
    }
    to.bytes(this.#dayPart)
    const ms = time - day * DAY_MS
    const seconds = (ms / 1000) | 0
    const minutes = (seconds / 60) | 0
    twoDigits(to, (minutes / 60) | 0)
    to.byte(58)
    twoDigits(to, minutes % 60)
    to.byte(58)
    twoDigits(to, seconds % 60)
    to.byte(46)
    const rest = ms % 1000
    to.byte(48 + ((rest / 100) | 0))
    twoDigits(to, rest % 100)
    to.bytes(QUOTE)
  }
}

const QUOTE = encode('Z"')

function twoDigits(to: ByteWriter, value: number): void {
  const tens = (value / 10) | 0
  to.byte(48 + tens)
  to.byte(48 + value - tens * 10)
}

/** `"provider": …` to the end of `"reasoning": …`: who said what, and what the judges made of it. */
export function opinionPart(consultation: Consultation, judgement: Judgement | null, scored: boolean): string {
  const { provider, model, fallbacks, initial, turns, opinion } = consultation
  const said = (answer: Answer): string => `{${answerJson(answer, scored)}}`
  const judged = judgement === null ? '"risk": null, "confidence": null' : judgementJson(judgement, opinion)
  return `"provider": ${JSON.stringify(provider)}, "model": ${JSON.stringify(model)}, "fallbacks": ${spacedJson(fallbacks)}, ` +
    `"phases": {"initial": ${said(initial)}, "refinement": [${turns.map(said).join(', ')}], ${judged}}, ${answerJson(opinion, false)}`
}

function answerJson({ action, confidence, reasoning }: Opinion, scored: boolean): string {
  const target = action === 'BUY' ? confidence : action === 'SELL' ? 1 - confidence : null
  const forecast = scored ? `, "pTargetFirst": ${spacedJson(target)}` : ''
  return `"action": "${action}", "confidence": ${spacedJson(confidence)}${forecast}, "reasoning": ${JSON.stringify(reasoning)}`
}

const RULE_KEYS = RISK_RULES.map(({ name }) => `"${name}": `)

/** `"risk": {…}, "confidence": {…}` with every rule that concerned the order. */
function judgementJson({ checks, riskReason, confidence, required, confident }: Judgement, { action }: Opinion): string {
  let passed = ''
  for (let index = 0; index < checks.length; index++) {
    if (checks[index] !== 2) passed += `${passed === '' ? '' : ', '}${RULE_KEYS[index]}${checks[index] === 1}`
  }
  const side = action === 'BUY' ? 'entry' : 'exit'
  return `"risk": {"validated": ${riskReason === null}, "order": "${side}", "checks": {${passed}}}, ` +
    `"confidence": {"confidence": ${confidence}, "required": ${required}, "verified": ${confident}}`
}
