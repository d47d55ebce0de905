import { existsSync } from 'node:fs'
import { rawLines, textOf } from '../audit/raw-lines.ts'
import { opinionFault } from '../core/opinion.ts'
import { requestKey } from './key.ts'
import { Unpacker } from './packing.ts'
import { struck } from './redaction.ts'
import { readManifest, tapePath } from './tape-file.ts'
import type { DecisionLine, ExchangeLine } from './tape-lines.ts'

/** Something that should not be so. */
export interface Fault {
  /** Line of the file, from 1. */
  readonly line: number
  readonly what: string
}

export interface Soundness {
  readonly exchanges: number
  readonly decisions: number
  readonly faults: readonly Fault[]
}

/**
 * Reads a whole recording and looks for what does not hold: lines that say nothing, keys that are not those of their
 * questions, decisions that refer to nothing, secrets. `redact` changes a text that holds one. Throws TD_RECORDING_MISSING,
 * and TD_RECORDING_BROKEN where already the manifest is.
 */
export function soundnessOf(folder: string, redact: (text: string) => string): Soundness {
  const { generation } = readManifest(folder)
  const faults: Fault[] = []
  const decisions: { readonly line: number; readonly decision: DecisionLine }[] = []
  const exchanges = new Set<number>()
  const seqs = new Set<number>()
  const unpacker = new Unpacker()
  let number = 0
  const path = tapePath(folder)
  for (const { bytes, whole } of existsSync(path) ? rawLines(path) : []) {
    const line = ++number
    const say = (what: string): void => { faults.push({ line, what }) }
    if (!whole) {
      say('it was left unfinished; recording goes on without it')
      continue
    }
    const text = textOf(bytes)
    const value = valueOf(text)
    if (text !== null && holdsSecret(text, value, redact)) say('it holds the value of a secret that is set in this environment')
    const read = unpacker.unpack(value)
    if (read === null) continue
    if (typeof read === 'string') {
      say(read)
      continue
    }
    if (seqs.has(read.seq)) say(`its number ${read.seq} was given before`)
    seqs.add(read.seq)
    if (read.generation > generation) say(`its generation ${read.generation} is later than the manifest's, ${generation}`)
    if (read.kind === 'decision') decisions.push({ line, decision: read })
    else {
      exchanges.add(read.seq)
      const wrong = exchangeFault(read)
      if (wrong !== null) say(wrong)
    }
  }
  for (const { line, decision: { steps } } of decisions) {
    const lost = steps.flatMap((step) => step.exchanges).find((seq) => !exchanges.has(seq))
    if (lost !== undefined) faults.push({ line, what: `the decision refers to exchange ${lost}, which is not there` })
  }
  return { exchanges: exchanges.size, decisions: decisions.length, faults: faults.sort((a, b) => a.line - b.line) }
}

/** Digits of a number or of a hash may be those of a secret by chance. */
const holdsSecret = (text: string, value: unknown, redact: (text: string) => string): boolean =>
  redact(text) !== text && (value === null || JSON.stringify(struck(value, redact)) !== JSON.stringify(value))

function valueOf(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function exchangeFault({ key, request, sample, answer }: ExchangeLine): string | null {
  const own = requestKey(request, sample)
  if (own !== key) return `its key ${key.slice(0, 12)}… is not that of its question, ${own.slice(0, 12)}…`
  const fault = answer === null ? null : opinionFault(answer)
  return fault === null ? null : `its answer: ${fault}`
}
