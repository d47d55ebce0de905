import { open, truncate, writeFile } from 'node:fs/promises'
import { createReadStream, createWriteStream } from 'node:fs'
import { createGzip, gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { MarketSource } from '../../engine/ports.ts'
import { HEADER, MONDAY, openTape, refusal, temporaryFolder, type Setting } from '../support/tape-files.ts'

const MINUTE = 60_000
const ROWS = 1_000_000
const BAD = 900_000
const folder = await temporaryFolder()

/** Every line has the same length, so that one can be replaced in place. */
const lineOf = (row: number): string => {
  const open = 1000 + (row % 8999)
  return `${MONDAY + (row - 2) * MINUTE},${open}.50,${open}.75,${open}.25,${open}.60,12.34567\n`
}
const LINE = lineOf(2).length

function* text(): Generator<string> {
  yield `${HEADER}\n`
  for (let row = 2; row < ROWS + 2; row += 10_000) {
    let lines = ''
    for (let next = row; next < row + 10_000; next++) lines += lineOf(next)
    yield lines
  }
}
await writeFile(`${folder}/million.csv`, Readable.from(text()))

async function patch(row: number, content: string): Promise<void> {
  const file = await open(`${folder}/million.csv`, 'r+')
  await file.write(content, HEADER.length + 1 + (row - 2) * LINE)
  await file.close()
}

/** The cells of a row with some of them replaced, as long as before. */
function changed(row: number, changes: Readonly<Record<number, string>>): string {
  const cells = lineOf(row).trimEnd().split(',')
  for (const [cell, value] of Object.entries(changes)) cells[Number(cell)] = value
  const line = cells.join(',')
  return `${line}${'0'.repeat(LINE - 1 - line.length)}\n`
}

const countOf = async (source: MarketSource): Promise<number> => {
  let rows = 0
  for await (const event of source.events()) if (event.kind === 'candles') rows += event.end - event.start
  return rows
}
const count = async (setting: Setting = {}): Promise<number> =>
  countOf(await openTape(folder, '1m', { file: 'million.csv', ...setting }))
const timeOf = (row: number): number => MONDAY + (row - 2) * MINUTE
const iso = (row: number): string => new Date(timeOf(row)).toISOString()

// One file, patched and restored: within it the tests run one after the other, in any order.
describe('a mistake in row 900,000 of a million', () => {
  it('is not there: all rows are read', async () => {
    expect(await count()).toBe(ROWS)
  })

  it.each([
    ['text in a number', changed(BAD, { 3: '10O0.25' }), 'low "10O0.25" is not a decimal number'],
    ['an empty cell', changed(BAD, { 4: '' }), 'close is empty'],
    ['NaN', changed(BAD, { 5: 'NaN' }), 'is not a decimal number'],
    ['a missing column', changed(BAD, { 1: '' }).replace(',,', ','), 'has 5 cells instead of 6'],
    ['an empty line', `\n${changed(BAD, {}).slice(1)}`, 'is empty'],
    ['a negative price', changed(BAD, { 3: '-1' }), 'low -1 must be'],
    ['high below low', changed(BAD, { 2: '1', 3: '2' }), 'high 1 is below low 2'],
    ['seconds', changed(BAD, { 0: String(timeOf(BAD) / 1000) }), 'in another unit'],
    ['microseconds', changed(BAD, { 0: `${timeOf(BAD)}000`, 5: '1.25' }), 'in another unit'],
    ['a time between the grid', changed(BAD, { 0: String(timeOf(BAD) + 1) }), 'not on the grid of 60000 ms'],
    ['a time before', changed(BAD, { 0: String(timeOf(BAD) - 10 * MINUTE) }), 'is out of order'],
    ['a repeated row', lineOf(BAD - 1), 'repeats the row before'],
    ['a differing row for one time', changed(BAD, { 0: String(timeOf(BAD - 1)) }), 'differs from the row before'],
  ])('stops the run: %s', async (_, content, said) => {
    await patch(BAD, content)
    const { message } = await refusal(count(), 'TD_CANDLE_INVALID').finally(() => patch(BAD, lineOf(BAD)))
    expect(message).toMatch(new RegExp(`^million\\.csv, row ${BAD}(,|:)`))
    expect(message).toMatch(said)
  })

  it('stops the run: a gap', async () => {
    await patch(BAD, changed(BAD, { 0: String(timeOf(BAD + 1)) }))
    await patch(BAD + 1, changed(BAD + 1, { 0: String(timeOf(BAD + 2)) }))
    const restored = async (): Promise<void> => {
      await patch(BAD, lineOf(BAD))
      await patch(BAD + 1, lineOf(BAD + 1))
    }
    const { message } = await refusal(count({ to: timeOf(BAD + 2) }), 'TD_CANDLE_GAP').finally(restored)
    expect(message).toMatch(`1 missing 1m candle in 1 gap: ${iso(BAD)} … ${iso(BAD)} (1)`)
  })

  it('does not matter when the range ends before it', async () => {
    await patch(BAD, changed(BAD, { 3: 'x' }))
    expect(await count({ to: timeOf(BAD) }).finally(() => patch(BAD, lineOf(BAD)))).toBe(BAD - 2)
  })
})

describe('a damaged file of a million rows', () => {
  it('is a truncated or corrupt gzip', async () => {
    const packed = `${folder}/million.csv.gz`
    await pipeline(createReadStream(`${folder}/million.csv`), createGzip({ level: 1 }), createWriteStream(packed))
    expect(await count({ file: 'million.csv.gz' })).toBe(ROWS)
    const file = await open(packed, 'r+')
    const { size } = await file.stat()
    await file.write(Buffer.alloc(4, 0xa5), 0, 4, Math.floor(size * 0.9))
    await file.close()
    await refusal(count({ file: 'million.csv.gz' }), 'TD_FILE_UNREADABLE')
    await truncate(packed, Math.floor(size * 0.9))
    await refusal(count({ file: 'million.csv.gz' }), 'TD_FILE_UNREADABLE')
  })

  it('is cut in the middle of a row', async () => {
    const half = `${lineOf(2)}${lineOf(3)}`.slice(0, -20)
    await writeFile(`${folder}/cut.csv.gz`, gzipSync(`${HEADER}\n${half}`))
    const { message } = await refusal(count({ file: 'cut.csv.gz' }), 'TD_CANDLE_INVALID')
    expect(message).toMatch('row 3')
  })
})
