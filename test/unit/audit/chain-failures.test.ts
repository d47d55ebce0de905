import fs, { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { ChainedLog } from '../../../engine/audit/chain.ts'
import { verifyTrail } from '../../../engine/audit/reader.ts'
import { trailLine } from '../../support/chained-trail.ts'
import { coded } from '../../support/coded.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  const watched = { writeSync: vi.fn(real.writeSync), fdatasyncSync: vi.fn(real.fdatasyncSync) }
  return { ...real, ...watched, default: { ...real, ...watched } }
})
const write = vi.mocked(fs.writeSync)
const flush = vi.mocked(fs.fdatasyncSync)

const realWrite = write.getMockImplementation()!
const noSpace = (): never => { throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }) }

let path: string
let log: ChainedLog
beforeEach(() => {
  path = join(temporaryFolder(), 'audit.jsonl')
  log = ChainedLog.open(path)
  log.append(trailLine(1), false)
  vi.clearAllMocks()
})

it('writes each line in one go, and flushes when it has to be durable', () => {
  log.append(trailLine(2), false)
  expect([write.mock.calls.length, flush.mock.calls.length]).toEqual([1, 0])
  log.append(trailLine(3), true)
  expect([write.mock.calls.length, flush.mock.calls.length]).toEqual([2, 1])
  expect(write.mock.invocationCallOrder[1]).toBeLessThan(flush.mock.invocationCallOrder[0])
  log.sync()
  expect(flush).toHaveBeenCalledTimes(2)
})

it('takes back a line of which the disk took only a part, and can go on', () => {
  const before = readFileSync(path)
  const aPart = (file: number, bytes: Uint8Array): number => realWrite(file, bytes.subarray(0, 20) as never)
  write.mockImplementationOnce(aPart as typeof fs.writeSync)
  write.mockImplementationOnce(noSpace)
  expect(() => { log.append(trailLine(2), true) }).toThrow(coded('TD_RUN_WRITE', path, 'ENOSPC'))
  expect(readFileSync(path)).toEqual(before)
  log.append(trailLine(2), true)
  expect(verifyTrail(path)).toMatchObject({ lines: 2, sound: true, torn: null })
})

it('takes no line after a flush that failed', () => {
  flush.mockImplementationOnce(noSpace)
  const refusal = coded('TD_RUN_WRITE')
  expect(() => { log.append(trailLine(2), true) }).toThrow(refusal)
  expect(() => { log.append(trailLine(3), false) }).toThrow(refusal)
  expect(() => { log.sync() }).toThrow(refusal)
  expect(verifyTrail(path)).toMatchObject({ lines: 2, sound: true })
})
