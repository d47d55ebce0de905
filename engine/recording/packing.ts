import { z } from 'zod'
import { frameOf, talkOf } from './key.ts'
import { decisionLine, exchangeLine, type ExchangeLine, type TapeLine } from './tape-lines.ts'

/** What the questions of a run share stands in a line of its own, and a question that goes on names the one before it. */
const frameLine = z.object({
  kind: z.literal('frame'), frame: z.int().min(1), request: exchangeLine.shape.request.omit({ messages: true }),
})
const packedExchange = exchangeLine.omit({ request: true }).extend({
  frame: z.int().min(1),
  /** `seq` of the exchange with which the conversation begins; null for a first question. */
  after: z.int().min(1).nullable(),
  messages: exchangeLine.shape.request.shape.messages,
})
const packedLine = z.discriminatedUnion('kind', [frameLine, packedExchange, decisionLine])
type PackedLine = z.infer<typeof packedLine>

/** Writes lines without what earlier lines say already. */
export class Packer {
  readonly #frames = new Map<string, number>()
  /** By frame and talk. */
  readonly #talks = new Map<string, number>()

  /** `lines` are those that the file has. */
  constructor(lines: readonly TapeLine[]) {
    for (const line of lines) this.pack(line)
  }

  pack(line: TapeLine): readonly PackedLine[] {
    if (line.kind === 'decision') return [line]
    const { request: { messages, ...shared }, ...rest } = line
    const text = frameOf(line.request)
    const known = this.#frames.get(text)
    const frame = known ?? this.#frames.size + 1
    this.#frames.set(text, frame)
    const before = this.#talks.get(`${frame} ${talkOf(messages.slice(0, -2))}`)
    this.#talks.set(`${frame} ${talkOf(messages)}`, line.seq)
    const packed: PackedLine = before === undefined ? { ...rest, frame, after: null, messages }
      : { ...rest, frame, after: before, messages: messages.slice(-2) }
    return known === undefined ? [{ kind: 'frame', frame, request: shared }, packed] : [packed]
  }
}

/** Reads what {@link Packer} wrote, line by line from the first. */
export class Unpacker {
  readonly #frames = new Map<number, z.infer<typeof frameLine>['request']>()
  readonly #exchanges = new Map<number, ExchangeLine>()

  /** null for a line that only later ones need; a text says what is wrong. */
  unpack(value: unknown): TapeLine | string | null {
    const parsed = packedLine.safeParse(value)
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues
      return `${path.join('.') || 'it'}: ${message}`
    }
    const line = parsed.data
    if (line.kind === 'decision') return line
    if (line.kind === 'frame') {
      this.#frames.set(line.frame, line.request)
      return null
    }
    const { frame, after, messages, ...rest } = line
    const shared = this.#frames.get(frame)
    const before = after === null ? [] : this.#exchanges.get(after)?.request.messages
    if (shared === undefined) return `frame ${frame} does not stand before it`
    if (before === undefined) return `exchange ${after} does not stand before it`
    if ((rest.answer === null) === (rest.failure === null)) return 'it has to hold either an answer or a failure'
    const exchange: ExchangeLine = { ...rest, request: { ...shared, messages: [...before, ...messages] } }
    this.#exchanges.set(exchange.seq, exchange)
    return exchange
  }
}
