import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Findings } from '../../../../engine/audit/analytics/lines.ts'
import { ask } from '../../../../engine/audit/analytics/question.ts'
import { findSources } from '../../../../engine/audit/analytics/sources.ts'
import { plainTable } from '../../../../engine/audit/analytics/values.ts'
import { LINES, putRun, trailText } from '../../../support/hand-made-run.ts'

let folder = ''
let trail = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapedeck-damage-'))
  trail = join(putRun(folder), 'audit.jsonl')
})
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

async function asked(sql: string): Promise<Findings & { readonly rows: readonly (readonly unknown[])[] }> {
  const { reader, findings } = await ask(findSources(folder), sql)
  return { ...findings, rows: plainTable(reader).rows }
}
const SQL = 'SELECT count(*), sum(pnl) FROM trades'
const copies = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tapedeck-query-'))

describe('a damaged trail', () => {
  const line = (index: number): string => trailText().split('\n')[index]
  it.each<[string, string | Buffer, string]>([
    ['is no JSON', '{"type": "alarm", "se', 'it is not a line of a trail'],
    ['is empty', '', 'it is not a line of a trail'],
    ['is a list', '[1, 2]', 'it is not a line of a trail'],
    ['is null', 'null', 'it is not a line of a trail'],
    ['holds two objects', `${line(0)}${line(1)}`, 'it is not a line of a trail'],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'it is not a line of a trail'],
    ['is full of zeros', Buffer.alloc(50), 'it is not a line of a trail'],
    ['has no type', '{"seq": 2, "timestamp": null}', 'it is not a line of a trail'],
    ['has no number', '{"type": "alarm", "timestamp": null}', 'its seq is not a whole number'],
    ['has a text for a price', '{"type": "trade", "seq": 2, "timestamp": null, "pnl": "lots"}', 'its pnl is not a number'],
    ['has a number for an object', '{"type": "decision", "seq": 2, "timestamp": null, "phases": 5}', 'its phases is not an object'],
    ['has a time that is none', '{"type": "trade", "seq": 2, "timestamp": "yesterday"}', 'its timestamp is not a time'],
  ])('whose second line %s is read around it, and the line is named', async (_, broken, what) => {
    const lines = trailText().split('\n').map((text) => Buffer.from(`${text}\n`))
    lines[1] = Buffer.concat([Buffer.from(broken), Buffer.from('\n')])
    const bytes = Buffer.concat(lines.slice(0, -1))
    writeFileSync(trail, bytes)
    const before = copies()
    const { flaws, torn, rows } = await asked('SELECT count(*), sum(pnl), (SELECT count(initial_action) FROM decisions), max(time) < \'2025-01-01\' FROM trades')
    expect(rows).toEqual([[2, -50, 4, true]])
    expect(torn).toEqual([])
    expect(flaws).toEqual([{ file: trail, line: 2, what }])
    expect(readFileSync(trail)).toEqual(bytes)
    expect(copies()).toEqual(before)
  })

  it('is damaged only for those who ask for what is damaged', async () => {
    writeFileSync(trail, trailText().replace('"pnl":55', '"pnl":"lots"'))
    expect(await asked('SELECT count(*), sum(net_return) FROM trades')).toEqual({ flaws: [], torn: [], rows: [[2, expect.closeTo(-0.025, 12)]] })
    expect(await asked('SELECT count(*), sum(pnl) FROM trades')).toEqual({ flaws: [{ file: trail, line: 12, what: 'its pnl is not a number' }], torn: [], rows: [[1, -105]] })
  })

  it('is counted line by line, over several runs', async () => {
    const other = join(putRun(folder, 'two'), 'audit.jsonl')
    writeFileSync(trail, trailText().replaceAll('"type":"provider"', '"type":'))
    writeFileSync(other, trailText().replace('"type":"alarm"', '"tape":"alarm"'))
    const { flaws, rows } = await asked(`${SQL} GROUP BY run`)
    expect(rows).toEqual([[2, -50], [2, -50]])
    expect(flaws.map(({ file, line: at }) => [file, at])).toEqual([[trail, 2], [trail, 3], [other, 21]])
  })

  it('with lines that are missing is read without a word: `tapedeck verify` is for that', async () => {
    writeFileSync(trail, trailText().split('\n').filter((text) => !text.includes('"type":"provider"')).join('\n'))
    expect(await asked(SQL)).toEqual({ flaws: [], torn: [], rows: [[2, -50]] })
  })

  it('of sound lines that another parser refuses loses none of them', async () => {
    writeFileSync(trail, trailText([LINES[0], { ...LINES[11], reason: 'half a pair \ud800', twice: 1 }]).replace('"twice":1', '"pnl":55'))
    expect(readFileSync(trail, 'utf8')).toContain(String.raw`\ud800`)
    expect(await asked('SELECT reason, pnl FROM trades')).toEqual({ flaws: [], torn: [], rows: [['half a pair \ufffd', 55]] })
  })

  it('takes in a line of any length', async () => {
    writeFileSync(trail, trailText([LINES[0], { type: 'market', timestamp: null, rows: [['9'.repeat(20 << 20)]] }, LINES[11]]))
    expect(await asked('SELECT pnl FROM trades')).toEqual({ flaws: [], torn: [], rows: [[55]] })
  })

  it('of a day that equity.csv cannot tell is refused', async () => {
    writeFileSync(join(folder, 'one/equity.csv'), 'date,equity\n2024-01-01,1\n2024-01-02,\n')
    await expect(asked('FROM equity')).rejects.toThrow(/equity\.csv: line 3 is damaged/)
    expect((await asked(SQL)).rows).toEqual([[2, -50]])
  })

  it('beside a run.json that cannot be read is refused', async () => {
    writeFileSync(join(folder, 'one/run.json'), '{')
    await expect(asked(SQL)).rejects.toThrow(/run\.json: cannot be read.*leave the run out with --runs/)
  })
})

describe('a trail that is being appended', () => {
  it.each(['{"type": "trade", "seq": 23, "pnl": 1', '{"type": "trade", "seq": 23, "run": "one", "timestamp": null, "pnl": 1}', '{'])(
    'is read up to its last whole line: %s', async (rest) => {
      appendFileSync(trail, rest)
      expect(await asked(SQL)).toEqual({ flaws: [], torn: [{ file: trail, bytes: rest.length }], rows: [[2, -50]] })
    })

  it('is read again with what came', async () => {
    expect((await asked(SQL)).rows).toEqual([[2, -50]])
    appendFileSync(trail, `${JSON.stringify({ type: 'trade', seq: 23, run: 'one', timestamp: '2024-01-03T00:00:00.000Z', pnl: 8 })}\n`)
    expect(await asked(SQL)).toEqual({ flaws: [], torn: [], rows: [[3, -42]] })
  })

  it('may hold nothing yet', async () => {
    rmSync(join(folder, 'one/run.json'))
    writeFileSync(trail, '{"type": "ses')
    expect(await asked(SQL)).toEqual({ flaws: [], torn: [{ file: trail, bytes: 13 }], rows: [[0, null]] })
    writeFileSync(trail, '')
    expect(await asked(SQL)).toEqual({ flaws: [], torn: [], rows: [[0, null]] })
    expect((await asked('SELECT run, kind, trades FROM runs')).rows).toEqual([['one', 'backtest', null]])
  })
})
