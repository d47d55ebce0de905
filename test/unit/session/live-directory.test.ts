import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LiveDirectory, readRun, recordsIn } from '../../../engine/session/live-directory.ts'
import { trailLine } from '../../support/chained-trail.ts'
import { coded } from '../../support/coded.ts'
import { otherProcess } from '../../support/other-process.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

/** A run directory that says this of itself. */
function put(parent: string, run: string, record: object | string): string {
  const path = join(parent, run)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'run.json'), typeof record === 'string' ? record : JSON.stringify(record))
  return path
}

describe('LiveDirectory', () => {
  it('writes straight into its place', () => {
    const parent = join(temporaryFolder(), 'deeper', 'runs')
    const directory = LiveDirectory.create(parent, 'run-1')
    expect(directory.path).toBe(join(parent, 'run-1'))
    directory.writeRun({ run: 'run-1', state: 'running' })
    directory.trail.append(trailLine(1), true)
    directory.write('report.html', '<p>')
    directory.writePieces('trades.csv', ['a,b\n', '1,2\n'])
    expect(directory.readRun()).toEqual({ run: 'run-1', state: 'running' })
    directory.writeRun({ run: 'run-1', state: 'stopped' })
    expect(readRun(directory.path)).toEqual({ run: 'run-1', state: 'stopped' })
    expect(readFileSync(join(directory.path, 'trades.csv'), 'utf8')).toBe('a,b\n1,2\n')
    directory.trail.close()
    directory.release()
    expect(readdirSync(directory.path).sort()).toEqual(['audit.jsonl', 'report.html', 'run.json', 'trades.csv'])
  })

  it('goes on with a run where its trail ended', () => {
    const parent = temporaryFolder()
    const first = LiveDirectory.create(parent, 'run-1')
    first.writeRun({ run: 'run-1' })
    first.trail.append(trailLine(1), true)
    first.trail.close()
    first.release()
    writeFileSync(join(first.path, 'audit.jsonl'), '{"torn', { flag: 'a' })
    const second = LiveDirectory.resume(first.path)
    expect(second.trail).toMatchObject({ length: 1, head: first.trail.head, torn: { text: '{"torn' } })
    second.trail.close()
    second.release()
  })

  it('never replaces a run', () => {
    const parent = temporaryFolder()
    const path = put(parent, 'run-1', { run: 'run-1' })
    expect(() => LiveDirectory.create(parent, 'run-1')).toThrow(coded('TD_RUN_WRITE', 'run-1', 'EEXIST'))
    expect(readRun(path)).toEqual({ run: 'run-1' })
  })

  it('does not go on with what is no run, or with a damaged trail', () => {
    const parent = temporaryFolder()
    expect(() => LiveDirectory.resume(join(parent, 'none'))).toThrow(coded('TD_RUN_MISSING', 'none', 'run.json'))
    const path = put(parent, 'run-1', { run: 'run-1' })
    writeFileSync(join(path, 'audit.jsonl'), `${trailLine(1)}${trailLine(2)}`)
    expect(() => LiveDirectory.resume(path)).toThrow(coded('TD_TRAIL_BROKEN', 'line 1'))
    // The refusal leaves nobody in the way of whoever restores the file.
    expect(LiveDirectory.writer(path)).toBeNull()
    writeFileSync(join(path, 'run.json'), '{')
    expect(() => readRun(path)).toThrow(coded('TD_TRAIL_BROKEN', 'run.json'))
  })

  it('says which file it cannot write', () => {
    const parent = temporaryFolder()
    writeFileSync(join(parent, 'file'), '')
    expect(() => LiveDirectory.create(join(parent, 'file'), 'run-1'))
      .toThrow(coded('TD_RUN_WRITE', 'file/run-1', '--out'))
    const directory = LiveDirectory.create(parent, 'run-1')
    mkdirSync(join(directory.path, 'report.html'))
    expect(() => { directory.write('report.html', '') }).toThrow(coded('TD_RUN_WRITE', 'run-1', '--out'))
    expect(readdirSync(directory.path).filter((name) => name.endsWith('.tmp'))).toEqual([])
    directory.trail.close()
  })

  it('leaves a file as it was when its pieces fail', () => {
    const directory = LiveDirectory.create(temporaryFolder(), 'run-1')
    directory.write('trades.csv', 'old')
    const pieces = function* (): Generator<string> {
      yield 'new'
      throw new Error('no more pieces')
    }
    expect(() => { directory.writePieces('trades.csv', pieces()) }).toThrow(coded('TD_RUN_WRITE', 'no more pieces'))
    expect(readFileSync(join(directory.path, 'trades.csv'), 'utf8')).toBe('old')
    directory.trail.close()
  })

  it('has one writer, whose death frees it', async () => {
    const path = put(temporaryFolder(), 'run-1', { run: 'run-1' })
    const writer = otherProcess(`
      const { LiveDirectory } = await load('session/live-directory.js')
      LiveDirectory.resume(${JSON.stringify(path)})
      say('resumed')
    `)
    expect(await writer.said).toBe('resumed')
    expect(LiveDirectory.writer(path)).toBe(writer.pid)
    expect(() => LiveDirectory.resume(path)).toThrow(coded('TD_LOCKED', 'run-1', `process ${writer.pid} `))
    await writer.kill()
    expect(LiveDirectory.writer(path)).toBeNull()
    const directory = LiveDirectory.resume(path)
    expect(LiveDirectory.writer(path)).toBe(process.pid)
    directory.trail.close()
    directory.release()
    expect(LiveDirectory.writer(path)).toBeNull()
    directory.claim()
    expect(LiveDirectory.writer(path)).toBe(process.pid)
  })
})

describe('a start that failed', () => {
  it('leaves no directory, unless something was recorded', () => {
    const parent = temporaryFolder()
    const stump = LiveDirectory.create(parent, 'stump')
    stump.trail.close()
    stump.discardStump()
    stump.release()
    expect(readdirSync(parent)).toEqual([])
    const run = LiveDirectory.create(parent, 'run')
    run.writeRun({ run: 'run' })
    run.trail.close()
    run.discardStump()
    run.release()
    expect(readdirSync(parent)).toEqual(['run'])
  })
})

describe('recordsIn', () => {
  it('finds the runs of a folder, newest first, and tells of damaged ones', () => {
    const parent = temporaryFolder()
    put(parent, 'a', { state: 'running', startedAt: '2024-01-03T00:00:00.000Z', hash: 1 })
    put(parent, 'b', { state: 'stopped', startedAt: '2024-01-05T00:00:00.000Z', hash: 1 })
    put(parent, 'c', { state: 'running', startedAt: '2024-01-04T00:00:00.000Z', hash: 1 })
    put(parent, 'd', { state: 'finished', startedAt: '2024-01-09T00:00:00.000Z', hash: 1 })
    put(parent, 'e', { state: 'running', startedAt: '2024-01-08T00:00:00.000Z', hash: 2 })
    put(parent, 'f', '{"state": "runn')
    put(parent, '.g.tmp', { state: 'running', startedAt: '2024-01-09T00:00:00.000Z', hash: 1 })
    mkdirSync(join(parent, 'h'))
    writeFileSync(join(parent, 'i'), '')
    writeFileSync(join(parent, 'f', 'audit.jsonl'), '')
    writeFileSync(join(parent, 'h', 'audit.jsonl'), '')
    const broken: string[] = []
    const found = recordsIn(parent, (path) => { broken.push(path) })
    expect(found.map(({ path }) => path)).toEqual(['d', 'e', 'b', 'c', 'a'].map((name) => join(parent, name)))
    expect(found[1].record).toMatchObject({ state: 'running', hash: 2 })
    // A folder with an empty trail and no record is no run.
    expect(broken).toEqual([join(parent, 'f')])
    expect(recordsIn(join(parent, 'none'))).toEqual([])
  })
})
