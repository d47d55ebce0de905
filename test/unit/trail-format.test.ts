import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readRecordedRun } from '../../engine/recorded-run.ts'
import { coded } from '../support/coded.ts'

let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'tapedeck-format-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

describe('a run whose trail has another format', () => {
  it('is refused with the version that can read it, before any line is looked at', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify({ run: 'old', trailFormat: 7, versions: { tapedeck: '9.1.0' } }))
    await expect(readRecordedRun(folder)).rejects.toThrow(coded('TD_TRAIL_BROKEN', 'format 7, this version reads format 1; use tapedeck 9.1.0'))
  })

  it('is not assumed of runs that do not say it', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify({ run: 'older', versions: {} }))
    await expect(readRecordedRun(folder)).rejects.not.toThrow(coded('TD_TRAIL_BROKEN', 'format'))
  })
})
