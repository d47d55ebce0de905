import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seqKey, timeKey, TrailSearch } from '../../../engine/audit/trail-search.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'tapedeck-search-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

const HOUR = 3_600_000
const START = Date.UTC(2024, 0, 1)
const lineOf = (seq: number, padding = ''): string =>
  `{"type": "${seq % 10 === 0 ? 'trade' : 'decision'}", "seq": ${seq}, "run": "r", "timestamp": "${new Date(START + seq * HOUR).toISOString()}", "said": "é ${padding}"}\n`
/** Lines of very different length: some are longer than a block. */
const lines = Array.from({ length: 3000 }, (_, index) => lineOf(index + 1, 'x'.repeat(index % 97 === 0 ? 70_000 : index % 300)))

function searching<T>(text: string, look: (search: TrailSearch) => T): T {
  const path = join(folder, 'audit.jsonl')
  writeFileSync(path, text)
  const search = new TrailSearch(path)
  try {
    return look(search)
  } finally {
    search.close()
  }
}

describe('looking a trail through', () => {
  it('finds every line by its number and by its time', () => {
    searching(lines.join(''), (search) => {
      for (let seq = 1; seq <= 3000; seq += 61) {
        const [bySeq] = search.lines(search.seek(seqKey, seq))
        const [byTime] = search.lines(search.seek(timeKey, START + seq * HOUR))
        expect([bySeq.fields['seq'], byTime.fields['seq']]).toEqual([seq, seq])
      }
      expect(search.seek(seqKey, 3001)).toBe(search.size)
      expect(search.seek(seqKey, 0)).toBe(0)
    })
  })

  it('passes damaged lines over, and counts those that it wanted', () => {
    const broken = lines.map((line, index) => (index % 3 === 1 ? '{"type": "deci\n' : line))
    searching(broken.join(''), (search) => {
      const [line] = search.lines(search.seek(seqKey, 1502))
      expect(line.fields['seq']).toBe(1503)
      expect([...search.lines(0)].length).toBe(2000)
      expect(search.damaged).toBe(1000)
    })
  })

  it('tells of a torn line and does not read it', () => {
    searching(`${lines.slice(0, 5).join('')}{"type": "decision", "seq": 6`, (search) => {
      expect(search.torn).toBe(29)
      expect([...search.lines(0)].map(({ fields }) => fields['seq'])).toEqual([1, 2, 3, 4, 5])
    })
    searching('{"type"', (search) => {
      expect([search.size, search.torn]).toEqual([0, 7])
      expect([...search.lines(0)]).toEqual([])
    })
  })

  it('looks at what was there when it was opened', () => {
    searching(lines.slice(0, 20).join(''), (search) => {
      appendFileSync(search.path, lines.slice(20, 40).join(''))
      expect([...search.starting('{"type": "trade", ')].length).toBe(2)
      expect(search.nth('{"type": "trade", ', 3)).toEqual({ line: null, seen: 2 })
      expect(readFileSync(search.path, 'utf8').split('\n').length).toBe(41)
    })
  })

  it('counts and finds lines by how they begin, also across blocks', () => {
    searching(lines.join(''), (search) => {
      expect(search.nth('{"type": "trade", ', 123).line?.fields['seq']).toBe(1230)
      const [line] = search.starting('{"type": "trade", ', 0, search.size, '"seq": 2990,')
      expect(search.count('{"type": "trade", ', line.end)).toBe(299)
      expect([...search.holding('"seq": 98, ')].map(({ fields }) => fields['seq'])).toEqual([98])
    })
  })

  it('says when there is no trail', () => {
    expect(() => new TrailSearch(join(folder, 'none.jsonl'))).toThrow(/audit: off/)
  })
})
