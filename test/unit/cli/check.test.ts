import { beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Terminal } from '../../../engine/cli/terminal.ts'
import type { TapedeckError } from '../../../engine/errors.ts'
import { defineStrategy, type Strategy } from '../../../engine/ports.ts'
import { quietWorld } from '../../support/run-scenario.ts'

let future = 0

const base = {
  description: '', params: z.strictObject({}), warmup: () => 5,
  technical: () => ({ action: 'HOLD', confidence: 0, reasoning: '' } as const),
}
/** Its rules know how long the tape is, as a strategy does that peeks. */
const peeking = defineStrategy({
  ...base, name: 'peeking', indicators: () => ({ ma: { indicator: 'sma', period: 3 } }),
  technical: () => ({ action: 'HOLD', confidence: (future++ % 97) / 97, reasoning: '' }),
})
/** A recursive indicator that decides long before its start is forgotten. */
const hasty = defineStrategy({ ...base, name: 'hasty', indicators: () => ({ rsi: { indicator: 'rsi', period: 14 } }),
  warmup: () => 15 })
const declared = defineStrategy({ ...hasty, name: 'declared', shortWarmup: 'to match a book' })
const steady = defineStrategy({ ...base, name: 'steady', indicators: () => ({ ma: { indicator: 'sma', period: 3 } }) })

vi.mock('../../../strategies/index.ts', () => ({
  strategies: Object.fromEntries(Object.entries({ peeking: () => peeking, hasty: () => hasty, declared: () => declared,
    steady: () => steady })
    .map(([name, strategy]) => [name, async (): Promise<{ default: Strategy }> => ({ default: strategy() })])),
}))

const { checkCommand } = await import('../../../engine/cli/check.ts')

describe('tapedeck check', () => {
  let printed: string[] = []
  const terminal = { world: quietWorld(), print: (text: string) => printed.push(text),
    json: (value: unknown) => printed.push(JSON.stringify(value)) } as unknown as Terminal
  beforeEach(() => { printed = [] })

  const check = (strategy: string, json = false): Promise<number> =>
    checkCommand.handler({ strategy, timeframe: '1h', candles: 300, cuts: 3, json }, terminal)
  const refusal = async (work: Promise<unknown>): Promise<TapedeckError> =>
    work.then(() => { throw new Error('it passed') }, (error: unknown) => error as TapedeckError)

  it('passes what is steady', async () => {
    expect(await check('steady')).toBe(0)
    expect(printed.join('\n')).toMatch(/ma +later start: steady; {2}earlier end: steady/)
  })

  it('fails what looks ahead: a gate that is not met', async () => {
    const error = await refusal(check('peeking'))
    expect({ code: error.code, exit: error.exitCode, message: error.message })
      .toEqual({ code: 'TD_CHECK_FAILED', exit: 3,
        message: expect.stringMatching(/^peeking: confidence depends on the future/) as string })
    expect(printed.join('\n')).toMatch(/confidence .+ CHANGES in [\d,]+ decisions/)
  })

  it('fails a warm-up that is too short, unless the strategy says why', async () => {
    expect((await refusal(check('hasty'))).message).toMatch(/^hasty: rsi still depends on the start after the warm-up/)
    expect(printed.join('\n')).toMatch(/rsi +later start: moves by up to [\d.]+ % in [\d,]+ decisions/)
    expect(await check('declared')).toBe(0)
    expect(printed.join('\n')).toContain('short warm-up declared: to match a book')
  })

  it('says in JSON what it found, also when that is not enough', async () => {
    await refusal(check('hasty', true))
    expect(JSON.parse(printed[0])).toMatchObject({ strategy: 'hasty', passed: false, candles: 300, cuts: 3 })
    expect(printed).toHaveLength(1)
  })
})
