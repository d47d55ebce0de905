import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sample, workspace } from '../support/cli.ts'
import { root } from '../support/shared.ts'
import { candlesFrom, csvOf, dumpOf, gz, HEADER, MONDAY, without, zipOf } from '../support/tape-files.ts'
import { whole } from '../support/slice.ts'

interface Summary {
  readonly candles: number
  readonly timeframe: string
  readonly first: string
  readonly last: string
  readonly output: string | null
  readonly sha256: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
const candles = candlesFrom(MONDAY, 48, '1h')
const text = csvOf(candles)

describe.concurrent('data verify', () => {
  it('says what a file holds, and its checksum', async () => {
    const here = workspace()
    here.put('t.csv', text)
    const { stdout } = await here.succeeds(['data', 'verify', 't.csv'])
    expect(stdout.split('\n')).toEqual([
      '48 candles of 1h, 2021-01-04T00:00:00.000Z … 2021-01-05T23:00:00.000Z: sound',
      `  t.csv  sha256 ${sha256(text)}`, '',
    ])
    expect(await here.json<Summary>(['data', 'verify', 't.csv'])).toEqual({
      candles: 48, timeframe: '1h', first: '2021-01-04T00:00:00.000Z', last: '2021-01-05T23:00:00.000Z', output: null,
      sha256: { 't.csv': sha256(text) }, notes: [],
    })
    expect(here.list()).toEqual(['t.csv'])
  })

  it('reads several files as one series, Binance’s dumps in all their packings', async () => {
    const here = workspace()
    here.put('a.csv', dumpOf(candles.slice(0, 12), '1h'))
    here.put('b.csv.gz', gz(dumpOf(candles.slice(12, 24), '1h', { header: true })))
    here.put('c.zip', zipOf({ 'c.csv': dumpOf(candles.slice(24, 36), '1h', { unit: 1000 }) }))
    here.put('d.csv', csvOf(candles.slice(36)))
    const found = await here.json<Summary>(['data', 'verify', 'a.csv', 'b.csv.gz', 'c.zip', 'd.csv'])
    expect(found).toMatchObject({ candles: 48, timeframe: '1h' })
    expect(Object.keys(found.sha256)).toEqual(['a.csv', 'b.csv.gz', 'c.zip', 'd.csv'])
  })

  it('looks at a part, joins candles, and says what it let pass', async () => {
    const here = workspace()
    here.put('t.csv', csvOf(without(candles, 20, 21)))
    expect(await here.json<Summary>(['data', 'verify', 't.csv', '--to', '2021-01-04T12:00']))
      .toMatchObject({ candles: 12 })
    expect(await here.json<Summary>(['data', 'verify', 't.csv', '--from', '2021-01-05', '--timeframe', '4h']))
      .toMatchObject({ candles: 6, timeframe: '4h' })
    expect(await here.json<Summary>(['data', 'verify', 't.csv', '--gaps', 'allow']))
      .toMatchObject({ candles: 46, notes: [expect.stringContaining('left open')] })
    await here.refuses(['data', 'verify', 't.csv', '--json'], 'TD_CANDLE_GAP', ['t.csv: 2 missing 1h candles in 1 gap'])
  })

  it('refuses what cannot be read', async () => {
    const here = workspace()
    here.put('t.csv', text)
    await here.refuses(['data', 'verify', 'nope.csv', '--json'], 'TD_FILE_MISSING', ['"nope.csv" does not exist'])
    await here.refuses(['data', 'verify', '.', '--json'], 'TD_FILE_UNREADABLE', ['"." is a folder'])
    await here.refuses(['data', 'verify', 't.csv', '--json', '--timeframe', '30m'], 'TD_RANGE_INVALID',
      ['t.csv holds 1h candles'])
    await here.refuses(['data', 'verify', 't.csv', '--json', '--from', 'then'], 'TD_PLUGIN_OPTIONS',
      ['from', 'got "then"'])
    await here.refuses(['data', 'verify', 't.csv', '--json', '--from', '2021-02-01', '--to', '2021-01-01'],
      'TD_RANGE_INVALID', ['must be later than'])
    await here.refuses(['data', 'verify', 't.csv', '--json', '--from', '2031-01-01'], 'TD_TAPE_EMPTY',
      ['no whole 1h candle from 2031', 'read: 2021-01-04'])
  })
})

describe.concurrent('data import', () => {
  it('makes one plain CSV of whatever came', async () => {
    const here = workspace()
    here.put('a.csv', dumpOf(candles.slice(0, 24), '1h'))
    here.put('b.zip', zipOf({ 'b.csv': dumpOf(candles.slice(24), '1h', { unit: 1000 }) }))
    const { stdout } = await here.succeeds(['data', 'import', 'a.csv', 'b.zip', '--output', 'made/o.csv'])
    expect(stdout).toMatch(/^48 candles of 1h, .+ → made\/o\.csv$/m)
    expect(here.read('made', 'o.csv')).toBe(text)
    expect(await here.json<Summary>(['data', 'import', 'a.csv', 'b.zip', '--output', 'o.csv.gz']))
      .toMatchObject({ candles: 48, output: 'o.csv.gz' })
    expect(gunzipSync(readFileSync(here.path('o.csv.gz'))).toString()).toBe(text)
  })

  it('fills gaps and drops duplicates when told to', async () => {
    const here = workspace()
    here.put('t.csv', csvOf([...without(candles, 20).slice(0, 30), ...without(candles, 20).slice(29)]))
    const summary = await here.json<Summary>(['data', 'import', 't.csv', '--gaps', 'fill', '--duplicates', 'drop',
      '--output', 'o.csv'])
    expect(summary.candles).toBe(48)
    expect(summary.notes.join()).toMatch(/1 missing 1h candle in 1 gap filled.+1 duplicated 1h candle dropped/)
    const { close } = candles[19]
    expect(here.read('o.csv').split('\n')[21]).toBe([candles[20].openTime, close, close, close, close, 0].join(','))
  })

  it('replaces a file only by a whole one, and never what it reads', async () => {
    const here = workspace()
    here.put('t.csv', text)
    here.put('bad.csv', text.replace(/,[^,]*\n$/, ',x\n'))
    here.put('o.csv', 'precious')
    await here.refuses(['data', 'import', 'bad.csv', '--output', 'o.csv', '--json'], 'TD_CANDLE_INVALID',
      ['bad.csv, row 49'])
    await here.refuses(['data', 'import', 't.csv', '--output', './t.csv', '--json'], 'TD_USAGE',
      ['--output ./t.csv: is also read'])
    await symlink(here.path('t.csv'), here.path('link.csv'))
    await here.refuses(['data', 'import', 'link.csv', '--output', 't.csv', '--json'], 'TD_USAGE',
      ['--output t.csv: is the input link.csv itself'])
    await here.succeeds(['data', 'import', 't.csv', '--output', 'o.csv'])
    expect(here.read('o.csv')).toBe(text)
    here.put('file', '')
    await here.refuses(['data', 'import', 't.csv', '--output', 'file/o.csv', '--json'], 'TD_RUN_WRITE',
      ['cannot write', '--output'])
  })
})

describe.concurrent('data resample', () => {
  it('joins candles into blocks of UTC; half blocks are left out', async () => {
    const here = workspace()
    here.put('t.csv', csvOf(candles.slice(1, 14)))
    expect(await here.json<Summary>(['data', 'resample', 't.csv', '--timeframe', '4h', '--output', 'o.csv']))
      .toMatchObject({ candles: 2, timeframe: '4h' })
    const [header, first, second, end] = here.read('o.csv').split('\n')
    const block = candles.slice(4, 8)
    expect(header).toBe(HEADER)
    expect(first).toBe([block[0].openTime, block[0].open, Math.max(...block.map(({ high }) => high)),
      Math.min(...block.map(({ low }) => low)),
      block[3].close, block.reduce((sum, { volume }) => sum + volume, 0)].join(','))
    expect([Number(second.split(',')[0]), end]).toEqual([candles[8].openTime, ''])
  })

  it('refuses to split candles', async () => {
    const here = workspace()
    here.put('t.csv', text)
    await here.refuses(['data', 'resample', 't.csv', '--timeframe', '15m', '--output', 'o.csv', '--json'],
      'TD_RANGE_INVALID', ['holds 1h candles'])
  })
})

describe.concurrent('data synth', () => {
  it('makes the same tape from the same seed, and another from another', async () => {
    const here = workspace()
    const make = (output: string, ...more: string[]): Promise<Summary> =>
      here.json<Summary>(['data', 'synth', '--candles', '500', '--output', output, ...more])
    const summary = await make('a.csv', '--seed', '3', '--timeframe', '5m', '--from', '2023-05-01')
    expect(summary).toMatchObject({ candles: 500, timeframe: '5m', first: '2023-05-01T00:00:00.000Z',
      notes: [expect.stringContaining('synthetic')] })
    await make('b.csv.gz', '--seed', '3', '--timeframe', '5m', '--from', '2023-05-01')
    await make('c.csv', '--seed', '4', '--timeframe', '5m', '--from', '2023-05-01')
    expect(gunzipSync(readFileSync(here.path('b.csv.gz'))).toString()).toBe(here.read('a.csv'))
    expect(here.read('c.csv')).not.toBe(here.read('a.csv'))
    expect(await here.json<Summary>(['data', 'verify', 'a.csv'])).toMatchObject({ candles: 500, timeframe: '5m' })
    expect(here.list()).toEqual(['a.csv', 'b.csv.gz', 'c.csv'])
  })

  it.runIf(whole)('complains about nothing while it writes a large file', async () => {
    const here = workspace()
    expect((await here.succeeds(['data', 'synth', '--candles', '200000', '--timeframe', '1m', '--output',
      'big.csv.gz'])).stderr).toBe('')
  })
})

describe.concurrent('the bundled sample', () => {
  const provenance = readFileSync(`${root}/data/PROVENANCE.md`, 'utf8')

  it('is the file whose checksum is published', () => {
    expect(provenance).toContain(sha256(readFileSync(sample)))
  })

  it('is made by the published command, byte for byte', async () => {
    const here = workspace()
    const [, command] = /^ {4}tapedeck (data synth .+)$/m.exec(provenance)!
    await here.succeeds(command.split(' '))
    const [, output] = /--output (\S+)/.exec(command)!
    const made = gunzipSync(readFileSync(here.path(output)))
    // Compared unpacked: the packed bytes may differ between versions of zlib.
    expect(sha256(made)).toBe(sha256(gunzipSync(readFileSync(sample))))
    expect(provenance).toContain(sha256(made))
  })
})
