import type { Opinion } from '../core/opinion.ts'
import { RISK_RULES } from '../core/risk.ts'
import type { SnapshotView } from '../core/snapshot.ts'
import { DAY_MS, isoDay, type EpochMs } from '../core/time.ts'
import type { Consultation, Judgement } from '../pipeline/consultation.ts'
import type { Answer } from '../ports.ts'
import type { ByteWriter } from './byte-writer.ts'
import { spacedJson } from './spaced-json.ts'

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const CONFIDENCE = encode(', "confidence": ')
const REASONING = encode(', "reasoning": ')
const FORECAST = encode(', "pTargetFirst": ')
const REFINEMENT = encode('}, "refinement": [')
const RISK_NONE = encode('], "risk": null, "confidence": null}, "action": ')
const TURN = encode('{"action": ')
const PRICE = encode('{"price": ')
const VOLUME = encode(', "volume": ')
const TREND = encode(', "trend": ')
const PROVIDER = encode('}, "provider": ')
const INITIAL = encode('"phases": {"initial": {"action": ')

/** The constant parts of one symbol's decision lines, encoded once, and the newest of what seldom changes. */
export class DecisionLines {
  readonly #scored: boolean
  readonly #symbolPart: Uint8Array
  readonly #nameParts: readonly Uint8Array[]
  readonly #trend: Readonly<Record<string, Uint8Array>>
  readonly #action: Readonly<Record<string, Uint8Array>>
  #reasoningText: string | null = null
  #reasoning: Uint8Array = encode('""')
  #providerText = ''
  #provider: Uint8Array = encode('')
  #day = -1
  #dayPart: Uint8Array = encode('')

  constructor(symbol: string, timeframe: string, names: readonly string[], scored: boolean) {
    this.#scored = scored
    this.#symbolPart = encode(`, "symbol": ${JSON.stringify(symbol)}, "timeframe": ${JSON.stringify(timeframe)}, "market_data": `)
    this.#nameParts = names.map((name) => encode(`, ${JSON.stringify(name)}: `))
    this.#trend = { UP: encode('"UP"'), DOWN: encode('"DOWN"'), SIDEWAYS: encode('"SIDEWAYS"') }
    this.#action = { BUY: encode('"BUY"'), SELL: encode('"SELL"'), HOLD: encode('"HOLD"') }
  }

  /** `"timestamp": "…"` to the end of `"reasoning": …`: all that is known when the decision is made. */
  write(to: ByteWriter, snapshot: SnapshotView, consultation: Consultation, judgement: Judgement | null): void {
    this.#time(to, snapshot.time)
    to.bytes(this.#symbolPart)
    to.bytes(PRICE)
    to.number(snapshot.price)
    to.bytes(VOLUME)
    to.number(snapshot.volume)
    to.bytes(TREND)
    to.bytes(this.#trend[snapshot.trend])
    for (let index = 0; index < this.#nameParts.length; index++) {
      to.bytes(this.#nameParts[index])
      to.rounded(snapshot.nth(index))
    }
    to.bytes(PROVIDER)
    this.#who(to, consultation)
    to.bytes(INITIAL)
    this.#answer(to, consultation.initial)
    to.bytes(REFINEMENT)
    this.#turns(to, consultation.turns)
    if (judgement === null) to.bytes(RISK_NONE)
    else to.text(`], ${judgementJson(judgement, consultation.opinion)}}, "action": `)
    to.bytes(this.#action[consultation.opinion.action])
    to.bytes(CONFIDENCE)
    to.number(consultation.opinion.confidence)
    to.bytes(REASONING)
    this.#say(to, consultation.opinion.reasoning)
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
    to.byte(90)
    to.byte(34)
  }

  #who(to: ByteWriter, { provider, model, fallbacks }: Consultation): void {
    const key = fallbacks.length === 0 ? `${provider}\n${model}` : ''
    if (key === '' || key !== this.#providerText) {
      this.#providerText = key
      this.#provider = encode(`${JSON.stringify(provider)}, "model": ${JSON.stringify(model)}, "fallbacks": ${spacedJson(fallbacks)}, `)
    }
    to.bytes(this.#provider)
  }

  #answer(to: ByteWriter, { action, confidence, reasoning }: Answer): void {
    to.bytes(this.#action[action])
    to.bytes(CONFIDENCE)
    to.number(confidence)
    if (this.#scored) {
      to.bytes(FORECAST)
      to.number(action === 'BUY' ? confidence : action === 'SELL' ? 1 - confidence : NaN)
    }
    to.bytes(REASONING)
    this.#say(to, reasoning)
  }

  #turns(to: ByteWriter, turns: readonly Answer[]): void {
    for (let turn = 0; turn < turns.length; turn++) {
      if (turn > 0) to.text(', ')
      to.bytes(TURN)
      this.#answer(to, turns[turn])
      to.text('}')
    }
  }

  /** Rules give the same few reasons over and over, so the newest stays encoded. */
  #say(to: ByteWriter, reasoning: string): void {
    if (reasoning !== this.#reasoningText) {
      this.#reasoningText = reasoning
      this.#reasoning = encode(JSON.stringify(reasoning))
    }
    to.bytes(this.#reasoning)
  }
}

function twoDigits(to: ByteWriter, value: number): void {
  const tens = (value / 10) | 0
  to.byte(48 + tens)
  to.byte(48 + value - tens * 10)
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
