import { closeSync, createWriteStream, openSync, renameSync, rmSync, type WriteStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { createGzip, type Gzip } from 'node:zlib'
import { CandleView, type Candle, type CandleColumns } from '../core/candle.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { makeFolder } from '../session/run-directory.ts'

/** The first line of every candle file, with its end. */
export const CANDLE_HEADER = 'timestamp,open,high,low,close,volume\n'

/** A candle's line, with its end. */
export const candleLine = ({ openTime, open, high, low, close, volume }: Candle): string =>
  `${openTime},${open},${high},${low},${close},${volume}\n`

/** Whether candles can be written under such a name. Throws TD_USAGE. */
export function checkCandleName(path: string): void {
  if (/\.csv(\.gz)?$/.test(path)) return
  throw new TapedeckError('TD_USAGE', `--output ${path}: expected a name ending in .csv or .csv.gz`)
}

/** Writes candles as CSV, gzipped when the name says so; the file appears under its name only when it is whole. */
export class CandleFile {
  readonly #path: string
  readonly #building: string
  readonly #file: WriteStream
  readonly #gzip: Gzip | null
  readonly #row = new CandleView()
  #failure: Error | null = null
  #done = false

  constructor(path: string) {
    checkCandleName(path)
    this.#path = resolve(path)
    this.#building = `${this.#path}.${process.pid}.tmp`
    try {
      makeFolder(dirname(this.#path))
      closeSync(openSync(this.#building, 'w'))
    } catch (error) {
      throw this.#cannot(error)
    }
    this.#file = createWriteStream(this.#building)
    this.#gzip = path.endsWith('.gz') ? createGzip() : null
    this.#gzip?.pipe(this.#file)
    this.#file.on('error', (error) => { this.#failure = error })
    this.#sink.write(CANDLE_HEADER)
  }

  get #sink(): WriteStream | Gzip {
    return this.#gzip ?? this.#file
  }

  async add(columns: CandleColumns, start: number, end: number): Promise<void> {
    let text = ''
    for (let row = start; row < end; row++) text += candleLine(this.#row.move(columns, row))
    if (!this.#sink.write(text) && this.#failure === null) await this.#drained()
    if (this.#failure !== null) throw this.#cannot(this.#failure)
  }

  /** Until there is room again, or the file has failed; whichever it was, nobody goes on listening. */
  async #drained(): Promise<void> {
    const over = new AbortController()
    const { signal } = over
    const ends = [once(this.#sink, 'drain', { signal }), once(this.#file, 'close', { signal })]
      .map((end) => end.catch(() => {}))
    await Promise.race(ends)
    over.abort()
  }

  async finish(): Promise<void> {
    try {
      this.#sink.end()
      await finished(this.#file)
      renameSync(this.#building, this.#path)
      this.#done = true
    } catch (error) {
      throw this.#cannot(error)
    }
  }

  /** Leaves nothing behind, unless the file is finished. */
  discard(): void {
    if (this.#done) return
    this.#done = true
    this.#gzip?.destroy()
    this.#file.destroy()
    rmSync(this.#building, { force: true })
  }

  #cannot(error: unknown): TapedeckError {
    return new TapedeckError('TD_RUN_WRITE',
      `${this.#path}: cannot write (${messageOf(error)}); free space or choose another --output`, { cause: error })
  }
}
