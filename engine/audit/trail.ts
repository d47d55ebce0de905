import type { SnapshotView } from '../core/snapshot.ts'
import { isoTime, type EpochMs } from '../core/time.ts'
import type { Status } from '../core/opinion.ts'
import type { Order } from '../core/order.ts'
import type { Consultation, Judgement } from '../pipeline/consultation.ts'
import { ByteWriter } from './byte-writer.ts'
import { MarketPart, opinionPart } from './decision-line.ts'
import { fieldsJson, spacedJson } from './spaced-json.ts'

export const AUDIT_LEVELS = ['full', 'trades', 'off'] as const
/** full: every line; trades: all but SKIPPED and REJECTED decisions; off: nothing. */
export type AuditLevel = (typeof AUDIT_LEVELS)[number]

export type LineType = 'session' | 'market' | 'intent' | 'order' | 'fill' | 'trade' | 'provider' | 'risk' | 'alarm' | 'operator'

/** How a decision ended, beside its status. */
export interface Outcome {
  readonly status: Status
  readonly reason: string | null
  readonly order: Order | null
}

/** A decision whose order is under way: its line is written when the outcome is known. */
export interface PendingDecision {
  readonly head: string
  readonly tail: string
}

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const MISSED = '"provider": null, "model": null, "fallbacks": [], "phases": null, "action": "HOLD", "confidence": 0, '
  + '"reasoning": "the candle became known too late", "status": "SKIPPED", "reason": "missed", "order": null, '
  + '"usage": null, "latency_ms": 0}\n'
const DECISION = encode('{"type": "decision", "seq": ')
/** Rules say the same few things over and over, so the ends of their lines are kept. */
const REMEMBERED = 4

/** What an order looks like in the audit. */
export const orderFields = (order: Order): Record<string, unknown> =>
  order.side === 'buy'
    ? { id: order.id, side: 'buy', spend: order.spend, stopLoss: order.protection.stopLoss, takeProfit: order.protection.takeProfit }
    : { id: order.id, side: 'sell', quantity: order.quantity, reason: order.reason }

/**
 * Writes one run's audit trail: JSON Lines, keys in a fixed order, `seq` counting every line from 1. With a `gate`, which is called before
 * each line is begun, the sink gets every line by itself and at once, and is told which must be on disk before anything else happens: an intent.
 */
export class Trail {
  readonly level: AuditLevel
  readonly #writer: ByteWriter
  readonly #runPart: Uint8Array
  readonly #run: string
  readonly #timeframe: string
  readonly #scored: boolean
  readonly #markets = new Map<string, MarketPart>()
  readonly #ends: { readonly consultation: Consultation; readonly bytes: Uint8Array }[] = []
  #oldest = 0
  readonly #gate: (() => void) | null
  #durable = false
  readonly #scratch = new ByteWriter((bytes) => (this.#head += Buffer.from(bytes).toString('utf8')))
  #head = ''
  #seq = 0
  #time: EpochMs = NaN
  #timeText = ''

  constructor(
    level: AuditLevel,
    about: { readonly run: string; readonly timeframe: string; readonly scored: boolean },
    sink: (bytes: Uint8Array, durable: boolean) => void,
    gate: (() => void) | null = null,
  ) {
    this.level = level
    this.#gate = gate
    this.#writer = new ByteWriter((bytes) => { sink(bytes, this.#durable) })
    this.#run = about.run
    this.#timeframe = about.timeframe
    this.#scored = about.scored
    this.#runPart = encode(`, "run": ${JSON.stringify(about.run)}, `)
  }

  /** SKIPPED and REJECTED decisions are written too. */
  get full(): boolean {
    return this.level === 'full'
  }

  /** A HOLD: by far the most frequent line, so nothing is allocated for it. */
  held(snapshot: SnapshotView, consultation: Consultation): void {
    this.#gate?.()
    const writer = this.#writer
    writer.bytes(DECISION)
    writer.integer(++this.#seq)
    writer.bytes(this.#runPart)
    this.#marketOf(snapshot).write(writer, snapshot)
    writer.bytes(this.#endOfHold(consultation))
    this.#written(false)
  }

  /** A candle that became known too late to act on: nobody was asked. */
  missed(snapshot: SnapshotView): void {
    this.#gate?.()
    const writer = this.#writer
    writer.bytes(DECISION)
    writer.integer(++this.#seq)
    writer.bytes(this.#runPart)
    this.#marketOf(snapshot).write(writer, snapshot)
    writer.text(MISSED)
    this.#written(false)
  }

  /** A decision whose outcome is known at once. */
  decided(snapshot: SnapshotView, consultation: Consultation, judgement: Judgement, outcome: Outcome): void {
    this.conclude(this.begin(snapshot, consultation, judgement), outcome)
  }

  /** Everything of a decision line that is known before its order has met the market. */
  begin(snapshot: SnapshotView, consultation: Consultation, judgement: Judgement): PendingDecision {
    this.#head = ''
    this.#marketOf(snapshot).write(this.#scratch, snapshot)
    this.#scratch.flush()
    return { head: this.#head + opinionPart(consultation, judgement, this.#scored), tail: usageJson(consultation) }
  }

  conclude({ head, tail }: PendingDecision, { status, reason, order }: Outcome): void {
    this.#gate?.()
    const writer = this.#writer
    writer.bytes(DECISION)
    writer.integer(++this.#seq)
    writer.bytes(this.#runPart)
    const ordered = order === null ? 'null' : spacedJson(orderFields(order))
    writer.text(`${head}, "status": "${status}", "reason": ${JSON.stringify(reason)}, "order": ${ordered}, ${tail}`)
    this.#written(false)
  }

  /** Any other line. `fields` follow type, seq, run and timestamp. */
  line(type: LineType, time: EpochMs | null, fields: Readonly<Record<string, unknown>>): void {
    this.#gate?.()
    const head = { type, seq: ++this.#seq, run: this.#run, timestamp: time === null ? null : this.#iso(time) }
    this.#writer.text(`{${fieldsJson(head)}, ${fieldsJson(fields)}}\n`)
    this.#written(type === 'intent')
  }

  /** Lines that somebody else wrote: counting goes on behind them. */
  skip(lines: number): void {
    this.#seq += lines
  }

  #written(durable: boolean): void {
    if (this.#gate === null) return
    this.#durable = durable
    this.#writer.flush()
  }

  /** Lines come in groups of one time. */
  #iso(time: EpochMs): string {
    if (time !== this.#time) {
      this.#time = time
      this.#timeText = isoTime(time)
    }
    return this.#timeText
  }

  flush(): void {
    this.#writer.flush()
  }

  #endOfHold(consultation: Consultation): Uint8Array {
    const ends = this.#ends
    for (let index = 0; index < ends.length; index++) if (ends[index].consultation === consultation) return ends[index].bytes
    const said = opinionPart(consultation, null, this.#scored)
    const bytes = encode(`${said}, "status": "SKIPPED", "reason": "hold", "order": null, ${usageJson(consultation)}`)
    if (ends.length < REMEMBERED) ends.push({ consultation, bytes })
    else ends[this.#oldest++ % REMEMBERED] = { consultation, bytes }
    return bytes
  }

  #marketOf({ symbol, names }: SnapshotView): MarketPart {
    const known = this.#markets.get(symbol)
    if (known !== undefined) return known
    const market = new MarketPart(symbol, this.#timeframe, names)
    this.#markets.set(symbol, market)
    return market
  }
}

const NO_USAGE = '"usage": null, "latency_ms": 0}\n'

function usageJson({ usage: { inputTokens, outputTokens, costUsd }, latencyMs }: Consultation): string {
  const counted = inputTokens + outputTokens > 0
  if (!counted && latencyMs === 0) return NO_USAGE
  const usage = counted ? spacedJson({ input_tokens: inputTokens, output_tokens: outputTokens, cost_usd: costUsd }) : 'null'
  return `"usage": ${usage}, "latency_ms": ${spacedJson(latencyMs)}}\n`
}
