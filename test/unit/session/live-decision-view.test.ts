import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { ChainedLog } from '../../../engine/audit/chain.ts'
import { DecisionView } from '../../../engine/session/decision-view.ts'
import { decisionLine, trailLine, writeChained } from '../../support/chained-trail.ts'
import { coded } from '../../support/coded.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const home = temporaryFolder()
let count = 0
const freshPath = (): string => join(home, `view-${++count}`, 'logs', 'autonomous_trades.jsonl')
let path: string
beforeEach(() => { path = freshPath() })

const content = (): string => readFileSync(path, 'utf8')

function fill(run: string, seqs: readonly number[], past: readonly string[] = []): void {
  const view = new DecisionView(path, run, past)
  for (const seq of seqs) view.append(decisionLine(seq, run))
  view.close()
}

describe('DecisionView', () => {
  it('holds the decisions and nothing else', () => {
    const view = new DecisionView(path, 'run-1')
    view.append(trailLine(1))
    view.append(Buffer.from(decisionLine(2)))
    view.append(trailLine(3, { said: decisionLine(3) }))
    view.append(decisionLine(4))
    view.close()
    expect(content()).toBe(decisionLine(2) + decisionLine(4))
  })

  it('never holds a decision twice', () => {
    fill('run-1', [2, 2, 4])
    fill('run-1', [2, 4, 6])
    expect(content()).toBe([2, 4, 6].map((seq) => decisionLine(seq)).join(''))
  })

  it('gets what it lacks from the trail, without its chain', () => {
    const trail = join(temporaryFolder(), 'audit.jsonl')
    writeChained(trail, [trailLine(1), decisionLine(2), trailLine(3), decisionLine(4), decisionLine(5)])
    const { past } = ChainedLog.open(trail)
    fill('run-1', [2])
    fill('run-1', [6], past)
    expect(content()).toBe([2, 4, 5, 6].map((seq) => decisionLine(seq)).join(''))
  })

  it('keeps runs apart, also those with strange names', () => {
    const names = ['run-1', 'run-10', 'say "run-1"', 'läuft\\n']
    for (const run of names) fill(run, [2, 4])
    for (const run of names) fill(run, [4, 6], [decisionLine(2, run).trimEnd(), decisionLine(4, run).trimEnd()])
    const lines = content().trimEnd().split('\n').map((line) => JSON.parse(line) as { run: string; seq: number })
    for (const run of names) expect(lines.filter((line) => line.run === run).map(({ seq }) => seq)).toEqual([2, 4, 6])
    expect(lines).toHaveLength(12)
  })

  it('takes nothing of another run', () => {
    const view = new DecisionView(path, 'run-1')
    view.append(decisionLine(2, 'run-2'))
    view.close()
    expect(content()).toBe('')
  })

  it('is whole again after a crash at any byte', () => {
    const decisions = [2, 3, 5].map((seq) => decisionLine(seq))
    const whole = `${decisionLine(9, 'another')}${decisions.join('')}`
    const past = decisions.map((line) => line.trimEnd())
    fc.assert(fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
      path = freshPath()
      fill('run-1', [])
      writeFileSync(path, whole.slice(0, length))
      fill('run-1', [7], past)
      const kept = whole.slice(0, length).includes('\n') ? decisionLine(9, 'another') : ''
      expect(content()).toBe(`${kept}${decisions.join('')}${decisionLine(7)}`)
      const torn = whole.slice(whole.lastIndexOf('\n', length - 1) + 1, length)
      const aside = readdirSync(dirname(path)).filter((name) => name.includes('.torn-'))
      expect(aside).toEqual(torn === '' ? [] : ['autonomous_trades.torn-1.txt'])
      if (torn !== '') expect(readFileSync(join(dirname(path), aside[0]), 'utf8')).toBe(torn)
    }), { numRuns: 100 })
  })

  it('lets several write at once', () => {
    const [a, b] = ['run-a', 'run-b'].map((run) => new DecisionView(path, run))
    for (let seq = 1; seq <= 50; seq++) {
      a.append(decisionLine(seq, 'run-a'))
      b.append(decisionLine(seq, 'run-b'))
    }
    a.close()
    b.close()
    expect(content().trimEnd().split('\n')).toHaveLength(100)
  })

  it('says where it cannot be written', () => {
    writeFileSync(join(home, 'file'), '')
    expect(() => new DecisionView(join(home, 'file', 'logs.jsonl'), 'run-1'))
      .toThrow(coded('TD_RUN_WRITE', 'logs.jsonl'))
  })
})
