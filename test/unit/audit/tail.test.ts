import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { TrailTail } from '../../../engine/audit/tail.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const line = (seq: number, text = ''): string => `{"type": "alarm", "seq": ${seq}, "run": "r", "timestamp": null, "text": "${text}"}\n`
let path: string
beforeEach(() => {
  path = join(temporaryFolder(), 'audit.jsonl')
  writeFileSync(path, line(1))
})
const told = (tail: TrailTail): unknown[] => tail.read().map(({ seq }) => seq)

describe('the tail of a trail', () => {
  it('begins behind what is there, and tells each line once', () => {
    const tail = new TrailTail(path)
    expect(told(tail)).toEqual([])
    appendFileSync(path, line(2) + line(3))
    expect(told(tail)).toEqual([2, 3])
    expect(told(tail)).toEqual([])
  })

  it('waits until a line is whole, wherever it is torn', () => {
    const tail = new TrailTail(path)
    for (const byte of Buffer.from(line(2, 'größer') + line(3))) {
      appendFileSync(path, Buffer.from([byte]))
      const [read] = tail.read()
      if (read?.['seq'] === 2) expect(read['text']).toBe('größer')
      else if (read !== undefined) expect(read['seq']).toBe(3)
    }
    appendFileSync(path, line(4))
    expect(told(tail)).toEqual([4])
  })

  it('leaves out what is no line of a trail', () => {
    const tail = new TrailTail(path)
    appendFileSync(path, `{"torn\n${line(2)}`)
    expect(told(tail)).toEqual([2])
  })

  it('needs a file', () => {
    expect(() => new TrailTail(`${path}.none`)).toThrow('ENOENT')
  })
})
