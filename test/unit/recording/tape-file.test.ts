import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { takeWriter } from '../../../engine/answers.ts'
import { openRecording, peekRecording } from '../../../engine/recording/open-recording.ts'
import { readManifest, readTape, TapeFile } from '../../../engine/recording/tape-file.ts'
import { coded } from '../../support/coded.ts'
import { otherProcess } from '../../support/other-process.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { decision, exchange, putRecording } from '../../support/tape-lines.ts'

const plain = (text: string): string => text
const lines = [exchange(1, 'a'), exchange(2, 'b'), decision(3, 0, [1, 2])]

let folder: string
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'tape.jsonl')
})

describe('readTape', () => {
  it('reads none where nothing was written', () => {
    expect(readTape(folder)).toEqual({ lines: [], size: 0, torn: null })
  })

  it('leaves an unfinished last line out and alone, wherever it was cut', () => {
    putRecording(folder, lines)
    const whole = readFileSync(path)
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1
    for (const cut of [last + 1, last + 20, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, cut))
      const { torn, size, ...rest } = readTape(folder)
      expect([rest.lines, size, torn?.toString()]).toEqual([lines.slice(0, 2), last, whole.subarray(last, cut).toString()])
    }
    writeFileSync(path, whole.subarray(0, last))
    expect(readTape(folder).torn).toBeNull()
  })

  it.each<[string, (text: string[]) => string[], number, string]>([
    ['no JSON', ([frame, , ...rest]) => [frame, '{"kind":', ...rest], 2, 'is no JSON'],
    ['an empty line', ([frame, ...rest]) => [frame, '', ...rest], 2, 'is no JSON'],
    ['a lost line that others need', ([, ...rest]) => rest, 1, 'frame 1 does not stand before it'],
    ['bytes that are no text', ([frame, one, ...rest]) => [frame, `${one.slice(0, 40)}\u{fffd}`, ...rest], 2, 'is no JSON'],
  ])('names file and line of %s', (_, damage, line, says) => {
    putRecording(folder, lines)
    writeFileSync(path, damage(readFileSync(path, 'utf8').split('\n')).join('\n'))
    expect(() => readTape(folder)).toThrow(coded('TD_RECORDING_BROKEN', path, `line ${line}`, says))
    expect(() => new TapeFile(folder, plain)).toThrow(coded('TD_RECORDING_BROKEN', path, `line ${line}`))
  })

  it.each<[string, string, string]>([
    ['no JSON', '{', 'cannot be read'], ['another file', '{"format":1}', 'is no manifest of a recording: keyVersion'],
    ['a newer format', JSON.stringify({ format: 2, keyVersion: 1, createdBy: '', generation: 1, complete: true }), 'format'],
  ])('refuses a manifest that is %s', (_, text, says) => {
    putRecording(folder, lines)
    writeFileSync(join(folder, 'manifest.json'), text)
    expect(() => readManifest(folder)).toThrow(coded('TD_RECORDING_BROKEN', join(folder, 'manifest.json'), says))
  })
})

describe('TapeFile', () => {
  it('goes on where a kill left off, and keeps beside it what was unfinished', () => {
    putRecording(folder, lines.slice(0, 2))
    appendFileSync(path, '{"kind":"decis')
    const file = new TapeFile(folder, plain)
    expect(file.torn).toBe(join(folder, 'tape.torn-1.txt'))
    expect(readFileSync(file.torn!, 'utf8')).toBe('{"kind":"decis')
    expect(file.lines).toEqual(lines.slice(0, 2))
    expect(file.next()).toBe(3)
    file.append(lines[2])
    file.close()
    expect(readTape(folder)).toMatchObject({ lines, torn: null })
    const again = new TapeFile(folder, plain)
    expect([again.torn, again.next()]).toEqual([null, 4])
    again.close()
  })

  it('writes nothing after a line that could not be written', () => {
    const file = new TapeFile(folder, plain)
    file.append(lines[0])
    const unwritable = { ...lines[2], get steps(): never { throw new Error('no space left') } }
    expect(() => file.append(unwritable)).toThrow(coded('TD_RUN_WRITE', folder, 'no space left'))
    expect(() => file.append(lines[1])).toThrow(coded('TD_RUN_WRITE', folder, 'no space left'))
    file.close()
    expect(readTape(folder).lines).toEqual([lines[0]])
  })

  it('says when the folder is a file', () => {
    writeFileSync(path, '')
    expect(() => new TapeFile(path, plain)).toThrow(coded('TD_RUN_WRITE', path, 'cannot be written'))
  })
})

describe('openRecording', () => {
  const generationOf = (mode: 'record' | 'record-missing', done: boolean): number => {
    const peeked = peekRecording(folder, mode).generation
    const recording = openRecording(folder, mode, 'a test', plain)
    if (done) recording.complete()
    recording.close()
    expect(recording.generation).toBe(peeked)
    return recording.generation
  }

  it('begins a generation only when the one before was recorded to its end', () => {
    expect(generationOf('record', false)).toBe(1)
    expect(generationOf('record', true)).toBe(1)
    expect(generationOf('record', false)).toBe(2)
    expect(generationOf('record', true)).toBe(2)
    expect(generationOf('record-missing', false)).toBe(2)
    expect(readManifest(folder)).toMatchObject({ generation: 2, complete: true })
    expect(generationOf('record', true)).toBe(3)
  })

  it('is looked at without a trace', () => {
    const { file, generation } = peekRecording(join(folder, 'not-there'), 'record')
    expect([file.lines, generation]).toEqual([[], 1])
    expect(readdirSync(folder)).toEqual([])
    putRecording(folder, lines)
    appendFileSync(path, '{')
    const before = readFileSync(path)
    expect(peekRecording(folder, 'record')).toMatchObject({ generation: 2, file: { lines } })
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(folder).sort()).toEqual(['manifest.json', 'tape.jsonl'])
  })

  it('has one writer at a time, and the next one when that is gone', async () => {
    const other = otherProcess(`
      const { takeWriter } = await load('answers.js')
      takeWriter(${JSON.stringify(folder)})
      say('mine')
    `)
    expect(await other.said).toBe('mine')
    expect(() => takeWriter(folder)).toThrow(coded('TD_LOCKED', folder, `process ${other.pid} is recording`))
    await other.kill()
    const lock = takeWriter(folder)
    lock.release()
  })
})
