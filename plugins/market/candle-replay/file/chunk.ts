import { TapedeckError } from '../../../../engine/errors.ts'

/** No line of a candle file is longer. A dump's line has some 190 bytes. */
export const MAX_LINE = 4096

/** Text of a file: `bytes[start, end)`. The MAX_LINE bytes before `start` are free for a line that began earlier. */
export interface Chunk {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

const NEWLINE = 10

/** Copies a stream's pieces behind free headroom. */
export async function* withHeadroom(pieces: AsyncIterable<Buffer>, chunkBytes: number): AsyncGenerator<Chunk> {
  const bytes = Buffer.allocUnsafe(MAX_LINE + chunkBytes)
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; from += chunkBytes) {
      yield { bytes, start: MAX_LINE, end: MAX_LINE + piece.copy(bytes, MAX_LINE, from, from + chunkBytes) }
    }
  }
}

/** Cuts chunks at line ends: whoever parses never meets half a line. The last line gets its newline if it lacks one. */
export async function* wholeLines(chunks: AsyncIterable<Chunk>, file: string): AsyncGenerator<Chunk> {
  const rest = Buffer.allocUnsafe(MAX_LINE + 1)
  let kept = 0
  for await (const { bytes, start, end } of chunks) {
    const from = start - kept
    rest.copy(bytes, from, 0, kept)
    const cut = Math.max(from, bytes.lastIndexOf(NEWLINE, end - 1) + 1)
    if (cut > from) yield { bytes, start: from, end: cut }
    kept = end - cut
    if (kept > MAX_LINE) {
      throw new TapedeckError('TD_FILE_HEADER', `${file} has a line of over ${MAX_LINE} bytes: it is no candle file`)
    }
    bytes.copy(rest, 0, cut, end)
  }
  if (kept > 0) {
    rest[kept] = NEWLINE
    yield { bytes: rest, start: 0, end: kept + 1 }
  }
}
