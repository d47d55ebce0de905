import { once } from 'node:events'
import { crc32 } from 'node:zlib'
import type { Readable } from 'node:stream'
import { open, type Entry, type ZipFile } from 'yauzl'
import { withHeadroom, type Chunk } from './chunk.ts'
import type { TapeFile } from './locate.ts'
import { unreadable, type Intake } from './raw-file.ts'

/** A macOS zip has a shadow of every file. */
const CANDLES = /^(?!__MACOSX\/).*\.csv$/i

const openZip = (path: string): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)))
  })

const csvEntriesOf = (zip: ZipFile): Promise<Entry[]> =>
  new Promise((resolve, reject) => {
    const entries: Entry[] = []
    zip.on('error', reject)
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: Entry) => {
      if (CANDLES.test(entry.fileName)) entries.push(entry)
      zip.readEntry()
    })
    zip.readEntry()
  })

const openEntry = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
  })

/** The pieces of one entry, with the check that the zip reader leaves to its users: the checksum. */
async function* checked(stream: Readable, entry: Entry, file: TapeFile, intake: Intake): AsyncGenerator<Buffer> {
  const storedPerByte = file.size / Math.max(1, entry.uncompressedSize)
  let sum = 0
  for await (const piece of stream as AsyncIterable<Buffer>) {
    sum = crc32(piece, sum)
    intake.progress.done += piece.length * storedPerByte
    yield piece
  }
  if (sum !== entry.crc32) throw unreadable(file, `is damaged: the checksum of ${entry.fileName} does not fit`)
}

/** The text of the one CSV file inside a zip file. Throws TD_FILE_UNREADABLE when it holds none or several. */
export async function* unzipped(file: TapeFile, intake: Intake): AsyncGenerator<Chunk> {
  const zip = await openZip(file.path)
  try {
    const entries = await csvEntriesOf(zip)
    const [entry] = entries
    if (entry === undefined || entries.length > 1) {
      const names = entries.slice(0, 3).map(({ fileName }) => fileName).join(', ')
      throw unreadable(file, `must hold exactly one CSV file but holds ${entries.length}${names && ` (${names} …)`}`)
    }
    yield* withHeadroom(checked(await openEntry(zip, entry), entry, file, intake), intake.chunkBytes)
  } finally {
    // The zip reader closes once its streams are gone; without waiting the file would outlive this pass.
    const closed = once(zip, 'close')
    zip.close()
    await closed
  }
}
