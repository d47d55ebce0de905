import { requestKey } from './key.ts'
import type { TapeLine } from './tape-lines.ts'

export interface Rekeyed {
  readonly lines: readonly TapeLine[]
  readonly exchanges: number
  /** Keys that are no longer what they were. */
  readonly changed: readonly { readonly seq: number; readonly before: string; readonly after: string }[]
  /** Questions that were told apart and no longer are: the newest answer counts. */
  readonly merged: number
}

/** Every exchange with the key that its question has today. */
export function rekey(lines: readonly TapeLine[]): Rekeyed {
  const changed: { seq: number; before: string; after: string }[] = []
  const [before, after] = [new Set<string>(), new Set<string>()]
  let exchanges = 0
  const made = lines.map((line) => {
    if (line.kind !== 'exchange') return line
    exchanges++
    const key = requestKey(line.request, line.sample)
    before.add(line.key)
    after.add(key)
    if (key === line.key) return line
    changed.push({ seq: line.seq, before: line.key, after: key })
    return { ...line, key }
  })
  return { lines: made, exchanges, changed, merged: Math.max(0, before.size - after.size) }
}
