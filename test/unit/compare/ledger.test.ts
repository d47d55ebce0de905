import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Ledger } from '../../../engine/compare/ledger.ts'

let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'tapedeck-ledger-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const trial = (name: string, candles = 'btc', sharpe: number | null = 0.1): { trial: string; candles: string; sharpe: number | null } => ({ trial: name, candles, sharpe })

it('counts every distinct trial on the same candles, however often it is made', () => {
  new Ledger(folder).enter([trial('a'), trial('b'), trial('a', 'eth')])
  const again = new Ledger(folder)
  again.enter([trial('a'), trial('c', 'btc', null)])
  expect(again.on('btc').map((one) => one.trial)).toEqual(['a', 'b', 'c'])
  expect(new Ledger(folder).on('eth')).toEqual([trial('a', 'eth')])
  expect(readFileSync(join(folder, 'trials.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(4)
  expect(new Ledger(folder).on('nothing')).toEqual([])
})

it('ends a line that a crash left torn, and ignores it', () => {
  new Ledger(folder).enter([trial('a')])
  appendFileSync(join(folder, 'trials.jsonl'), '{"candles":"btc","tri')
  new Ledger(folder).enter([trial('b')])
  expect(new Ledger(folder).on('btc').map((one) => one.trial)).toEqual(['a', 'b'])
})
