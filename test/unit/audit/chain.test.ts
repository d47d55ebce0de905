import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChainedLog, unchain } from '../../../engine/audit/chain.ts'
import { readTrail, verifyTrail } from '../../../engine/audit/reader.ts'
import { trailLine, writeChained } from '../../support/chained-trail.ts'
import { coded } from '../../support/coded.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')
const home = temporaryFolder()
const freshPath = (): string => join(mkdtempSync(join(home, 'log-')), 'audit.jsonl')

/** A trail of its own with these lines, as bytes. */
function written(lines: readonly string[]): { path: string; bytes: Buffer; head: string } {
  const path = freshPath()
  const head = writeChained(path, lines)
  return { path, bytes: readFileSync(path), head }
}

/** Lines of a sound trail; texts bring quotes, several bytes a character and things that look like the chain's own. */
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(`", "prev": "${'a'.repeat(64)}"}`))
const shares = fc.double({ min: 0, max: 1, noNaN: true })
const trails = fc.array(texts, { minLength: 1, maxLength: 8 })
  .map((all) => all.map((said, index) => trailLine(index + 1, { said })))

describe('ChainedLog', () => {
  it('ends each line with the hash of the one before', () => {
    const { bytes, head } = written(['{"a": 1}\n', '{"b": "é"}\n'])
    const first = `{"a": 1, "prev": "${'0'.repeat(64)}"}`
    const second = `{"b": "é", "prev": "${sha256(first)}"}`
    expect(bytes.toString('utf8')).toBe(`${first}\n${second}\n`)
    expect(head).toBe(sha256(second))
  })

  it('goes on where it ended', () => {
    const { path, head } = written([trailLine(1), trailLine(2)])
    const log = ChainedLog.open(path)
    expect(log.past.map((raw) => `${unchain(raw)?.line}\n`)).toEqual([trailLine(1), trailLine(2)])
    expect(log).toMatchObject({ length: 2, head, torn: null })
    log.append(Buffer.from(trailLine(3)), true)
    log.close()
    expect(log.length).toBe(3)
    expect(verifyTrail(path)).toMatchObject({ lines: 3, sound: true, chained: true, head: log.head })
  })

  it('does not keep the bytes that it is given', () => {
    const path = freshPath()
    const log = ChainedLog.open(path)
    const reused = Buffer.from(trailLine(1))
    log.append(reused.subarray(), false)
    reused.fill('x')
    log.append(trailLine(2), false)
    log.close()
    expect(verifyTrail(path).sound).toBe(true)
  })

  it.each(['', '\n', '{}\n', '{"a": 1}', '{"a": 1}\n{"b": 2}\n', '{"a": 1} \n'])('refuses %j as a line', (line) => {
    const path = freshPath()
    const log = ChainedLog.open(path)
    expect(() => { log.append(line, false) }).toThrow(TypeError)
    expect(readFileSync(path, 'utf8')).toBe('')
    log.close()
  })

  it('keeps every whole line of any prefix, sets the rest aside and goes on soundly', () => {
    fc.assert(fc.property(trails, shares, (lines, share) => {
      const { path, bytes } = written(lines)
      const prefix = bytes.subarray(0, Math.round(share * bytes.length))
      writeFileSync(path, prefix)
      const whole = prefix.subarray(0, prefix.lastIndexOf(10) + 1)
      const rest = prefix.subarray(whole.length)

      const log = ChainedLog.open(path)
      expect(readFileSync(path)).toEqual(whole)
      expect(log.past.map((raw) => `${raw}\n`).join('')).toBe(whole.toString('utf8'))
      expect(log.torn === null).toBe(rest.length === 0)
      if (log.torn !== null) {
        expect(log.torn.file).toBe(path.replace('audit.jsonl', 'audit.torn-1.txt'))
        expect(readFileSync(log.torn.file)).toEqual(rest)
      }
      for (let seq = log.length + 1; seq <= lines.length + 1; seq++) log.append(trailLine(seq), seq % 2 === 0)
      log.close()
      expect(verifyTrail(path)).toMatchObject({ lines: lines.length + 1, sound: true, torn: null })
    }), { numRuns: 150 })
  })

  it('notices any change of a byte', () => {
    fc.assert(fc.property(trails, shares, fc.integer({ min: 1, max: 255 }), (lines, share, flip) => {
      const { path, bytes, head } = written(lines)
      const at = Math.min(bytes.length - 1, Math.floor(share * bytes.length))
      const line = bytes.subarray(0, at).reduce((count, byte) => (byte === 10 ? count + 1 : count), 1)
      bytes[at] ^= flip
      writeFileSync(path, bytes)

      const { firstFault, torn } = verifyTrail(path, { lines: lines.length, head })
      expect(firstFault).not.toBeNull()
      // A changed line shows in itself or in the hash that the next one carries.
      expect(firstFault!.line - line).toBeOneOf([0, 1])
      // Until a run has ended nothing tells the hash of its last line: a change there shows only if it breaks the line.
      if (line < lines.length) expect(verifyTrail(path).sound).toBe(false)
      if (line < lines.length - 1) expect(() => ChainedLog.open(path)).toThrow(coded('TD_TRAIL_BROKEN'))
      expect(torn !== null).toBe(at === bytes.length - 1)
    }), { numRuns: 300 })
  })

  it('sets a last line aside that is no JSON', () => {
    const { path, bytes } = written([trailLine(1), trailLine(2)])
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('\0\0\0\n')]))
    const log = ChainedLog.open(path)
    expect(log).toMatchObject({ length: 2, torn: { text: '\0\0\0\n' } })
    log.close()
    expect(readFileSync(path)).toEqual(bytes)
  })

  it('sets each torn line aside in a file of its own, and the same one once', () => {
    const { path, bytes } = written([trailLine(1)])
    for (const [torn, number] of [['{"ty', 1], ['{"typ', 2], ['{"ty', 1]] as const) {
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(torn)]))
      const log = ChainedLog.open(path)
      expect(log.torn).toEqual({ text: torn, file: path.replace('audit.jsonl', `audit.torn-${number}.txt`) })
      log.close()
    }
    expect(readdirSync(join(path, '..')).sort()).toEqual(['audit.jsonl', 'audit.torn-1.txt', 'audit.torn-2.txt'])
  })

  it.each<[string, (lines: string[]) => string[], number]>([
    ['a line that was taken out', (lines) => lines.filter((_, index) => index !== 2), 3],
    ['lines that changed places', ([a, b, c, d]) => [a, c, b, d], 2],
    ['a line that stands twice', ([a, b, c, d]) => [a, b, b, c, d], 3],
    ['a first line that is missing', (lines) => lines.slice(1), 1],
    ['a line without its hash', ([a, b, c, d]) => [a, `${unchain(b)?.line}`, c, d], 2],
    ['a line between that is no JSON', ([a, b, c, d]) => [a, b, c.slice(1), d], 3],
  ])('does not go on after %s', (_, change, line) => {
    const { path, bytes } = written([1, 2, 3, 4].map((seq) => trailLine(seq)))
    const changed = `${change(bytes.toString('utf8').trimEnd().split('\n')).join('\n')}\n`
    writeFileSync(path, changed)
    expect(() => ChainedLog.open(path)).toThrow(coded('TD_TRAIL_BROKEN', `${path}: line ${line} is damaged`))
    expect(readFileSync(path, 'utf8')).toBe(changed)
    expect(verifyTrail(path).sound).toBe(false)
  })

  it('reports a place that cannot be written', () => {
    expect(() => ChainedLog.open(join(home, 'nowhere', 'audit.jsonl')))
      .toThrow(coded('TD_RUN_WRITE', 'nowhere'))
  })
})

describe('unchain', () => {
  it('gives back what was chained, whatever it says', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (said) => {
      const { bytes } = written([trailLine(1, { said })])
      const line = trailLine(1, { said }).trimEnd()
      expect(unchain(bytes.toString('utf8').trimEnd())).toEqual({ line, prev: '0'.repeat(64) })
    }), { numRuns: 100 })
  })

  it.each(['', '{}', '{"a": 1}', `{"prev": "${'0'.repeat(64)}"}`, `{"a": 1, "prev": "${'0'.repeat(63)}"}`,
    `{"a": 1, "prev": "${'G'.repeat(64)}"}`])('knows that %j is not chained', (raw) => {
    expect(unchain(raw)).toBeNull()
  })
})

describe('readTrail', () => {
  it('reads chained and plain trails alike', () => {
    const { path } = written([trailLine(1), trailLine(2)])
    const plain = freshPath()
    writeFileSync(plain, `${trailLine(1)}${trailLine(2)}{"type": "al`)
    const [chained, unchained] = [readTrail(path), readTrail(plain)]
    expect(chained.lines.map(({ text }) => `${text}\n`)).toEqual([trailLine(1), trailLine(2)])
    expect(chained.lines.map(({ fields }) => fields)).toEqual(unchained.lines.map(({ fields }) => fields))
    expect(chained.lines[1].fields).toMatchObject({ type: 'alarm', seq: 2 })
    expect(chained.lines[1].fields).not.toHaveProperty('prev')
    expect([chained.torn, unchained.torn]).toEqual([null, '{"type": "al'])
  })

  it.each(['no JSON', '[]', 'null', '{"seq": 2}', '{"type": "alarm", "seq": 2}'])('refuses %j as a line', (line) => {
    const path = freshPath()
    writeFileSync(path, `${trailLine(1)}${line}\n`)
    expect(() => readTrail(path)).toThrow(coded('TD_TRAIL_BROKEN', 'line 2'))
  })

  it('refuses bytes that are no text', () => {
    const path = freshPath()
    const bytes = Buffer.from(`${trailLine(1)}${trailLine(2, { said: 'x' })}`)
    bytes[bytes.lastIndexOf('x')] = 0xff
    writeFileSync(path, bytes)
    expect(() => readTrail(path)).toThrow(coded('TD_TRAIL_BROKEN', 'line 2'))
    expect(verifyTrail(path).firstFault).toMatchObject({ line: 2 })
  })

  it('says where there is none', () => {
    expect(() => readTrail(join(home, 'none.jsonl'))).toThrow(coded('TD_RUN_MISSING', 'none.jsonl'))
  })

  it('reads lines longer than a block', () => {
    const long = 'é'.repeat(3_000_000)
    const { path } = written([trailLine(1), trailLine(2, { long }), trailLine(3)])
    expect(readTrail(path).lines.map(({ fields }) => fields['long'])).toEqual([undefined, long, undefined])
    expect(verifyTrail(path)).toMatchObject({ lines: 3, sound: true })
  })
})

describe('verifyTrail', () => {
  it.each<[string, string[], number, string]>([
    ['an empty file', [], 1, 'there is none'],
    ['another beginning', [trailLine(1, { event: 'end' })], 1, 'not the start of a session'],
    ['a gap in seq', [trailLine(1), trailLine(3), trailLine(4)], 2, 'its seq is 3, expected 2'],
    ['a seq that is missing', [trailLine(1), trailLine(2, { seq: undefined })], 2, 'its seq is missing, expected 2'],
    ['a line of another run', [trailLine(1), trailLine(2, {}, 'run-2')], 2, 'its run is "run-2", expected "run-1"'],
    ['a time that is none', [trailLine(1), trailLine(2, { timestamp: '2024-02-30T00:00:00.000Z' })], 2, 'is no time'],
  ])('finds %s, chained or not', (_, lines, line, what) => {
    const plain = freshPath()
    writeFileSync(plain, lines.join(''))
    for (const path of [written(lines).path, plain]) {
      const { sound, firstFault } = verifyTrail(path)
      expect(sound).toBe(false)
      expect(firstFault).toMatchObject({ line, what: expect.stringContaining(what) as string })
    }
  })

  it('counts gaps, not the lines after them', () => {
    const { path } = written([1, 2, 5, 6, 9].map((seq) => trailLine(seq)))
    expect(verifyTrail(path)).toMatchObject({ seqGaps: 2, lines: 5 })
  })

  it('notices a trail that was cut between two lines, when told how long it was', () => {
    const { path, bytes, head } = written([1, 2, 3].map((seq) => trailLine(seq)))
    expect(verifyTrail(path, { lines: 3, head }).sound).toBe(true)
    writeFileSync(path, bytes.subarray(0, bytes.lastIndexOf(10, bytes.length - 2) + 1))
    expect(verifyTrail(path)).toMatchObject({ sound: true, lines: 2 })
    expect(verifyTrail(path, { lines: 3, head }).firstFault).toMatchObject({ line: 3 })
  })

  it('tells of a plain trail that it has no chain', () => {
    const path = freshPath()
    writeFileSync(path, `${trailLine(1)}${trailLine(2, { type: 'session', event: 'end' })}`)
    expect(verifyTrail(path)).toMatchObject({ sound: true, chained: false, ended: true, run: 'run-1' })
  })
})
