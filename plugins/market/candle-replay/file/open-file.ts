import { Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { TapedeckError } from '../../../../engine/errors.ts'
import { MAX_LINE, withHeadroom, type Chunk } from './chunk.ts'
import type { TapeFile } from './locate.ts'
import { RawFile, unreadable, type Intake } from './raw-file.ts'

type Packing = 'none' | 'gzip' | 'zip'

/** Text, as far as the first bytes show: printable, line ends, tabs or a byte order mark. */
const looksLikeText = (head: Buffer): boolean =>
  head.every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13)
  || head.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))

/** By content first: a download may have lost its ending, or have been unpacked under its old name. */
function packingOf(head: Buffer, file: TapeFile): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return 'zip'
  if (!/\.(gz|zip)$/i.test(file.name) || looksLikeText(head)) return 'none'
  throw unreadable(file, 'is not a gzip or zip file, as its name says, but something else or damaged')
}

/** Two buffers take turns: while one is parsed the next is read. */
async function* plain(raw: RawFile, chunkBytes: number): AsyncGenerator<Chunk> {
  const buffers = [Buffer.allocUnsafe(MAX_LINE + chunkBytes), Buffer.allocUnsafe(MAX_LINE + chunkBytes)]
  let turn = 0
  let pending = raw.read(buffers[turn], MAX_LINE, chunkBytes)
  for (;;) {
    const length = await pending
    if (length === 0) return
    const bytes = buffers[turn]
    turn = 1 - turn
    pending = raw.read(buffers[turn], MAX_LINE, chunkBytes)
    // Whoever stops here never awaits the read ahead: its failure must not become an unhandled rejection.
    pending.catch(() => {})
    yield { bytes, start: MAX_LINE, end: MAX_LINE + length }
  }
}

async function* pieces(raw: RawFile, chunkBytes: number): AsyncGenerator<Buffer> {
  for (;;) {
    // A fresh buffer each time: zlib may still be at work on the one before.
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    const length = await raw.read(buffer, 0, chunkBytes)
    if (length === 0) return
    yield buffer.subarray(0, length)
  }
}

async function* gunzipped(raw: RawFile, file: TapeFile, chunkBytes: number): AsyncGenerator<Chunk> {
  const gunzip = createGunzip({ chunkSize: Math.max(chunkBytes, 64) })
  // The pipeline destroys both ends with the error; it is thrown where the pieces are read.
  pipeline(Readable.from(pieces(raw, chunkBytes), { highWaterMark: 1 }), gunzip, () => {})
  yield* withHeadroom(gunzip, chunkBytes)
  // zlib takes a zero byte after a member for padding and stops without a word, also where another member follows.
  const rest = file.size - gunzip.bytesWritten
  if (rest > 0) throw unreadable(file, `has ${rest} bytes behind the end of its gzip data: it is damaged`)
}

/**
 * A candle file as text, in chunks with bounded memory; gzip and zip are unpacked. A chunk is good until the next is
 * asked for. The file is closed however the reading ends. Throws TD_FILE_UNREADABLE with the cause: a truncated or
 * corrupt file never ends as a shorter one. With `packedOnly`, plain files give nothing.
 */
export async function* openFile(file: TapeFile, intake: Intake, packedOnly = false): AsyncGenerator<Chunk> {
  const raw = await RawFile.open(file, intake)
  let packing: Packing = 'none'
  try {
    packing = packingOf(await raw.head(16), file)
    if (packedOnly && packing === 'none') return
    const chunks = packing === 'none' ? plain(raw, intake.chunkBytes)
      : packing === 'gzip' ? gunzipped(raw, file, intake.chunkBytes)
      : (await import('./zip-entry.ts')).unzipped(file, intake)
    for await (const chunk of chunks) {
      intake.signal.throwIfAborted()
      yield chunk
    }
  } catch (cause) {
    if (cause instanceof TapedeckError || intake.signal.aborted) throw cause
    throw unreadable(file, packing === 'none' ? 'cannot be read' : `is a damaged or truncated ${packing} file`, cause)
  } finally {
    await raw.close()
  }
}

/**
 * Unpacks files for their checksums only: damaged ones yield wrong text long before an error, and what is wrong with
 * that text should not be what the user is told. Throws TD_FILE_UNREADABLE.
 */
export async function checkPacked(files: readonly TapeFile[], intake: Intake): Promise<void> {
  for (const file of files) {
    const chunks = openFile(file, intake, true)
    while ((await chunks.next()).done !== true) { /* nothing to do with the text */ }
  }
}
