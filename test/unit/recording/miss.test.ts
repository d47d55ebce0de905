import { describe, expect, it } from 'vitest'
import { differenceOf, miss, nearest } from '../../../engine/recording/miss.ts'
import { TapeIndex } from '../../../engine/recording/tape-index.ts'
import type { ProviderRequest } from '../../../engine/ports.ts'
import { exchange } from '../../support/tape-lines.ts'

const requestOf = (text: string, own: Partial<ProviderRequest> = {}): ProviderRequest => ({ ...exchange(1, text).request, ...own })
const at = { symbol: 'BTC/USDT', time: Date.UTC(2024, 0, 1) }

describe('nearest', () => {
  it('is the request that shares most lines', () => {
    const index = new TapeIndex([exchange(1, 'a\nb\nc'), exchange(2, 'a\nb\nd'), exchange(3, 'x\ny\nz'), exchange(4, 'a\nb\nd', { model: 'm-2' })])
    expect(nearest(requestOf('a\nq\nd'), index)?.line.seq).toBe(2)
    expect(nearest(requestOf('a\nq\nd', { model: 'm-2' }), index)?.line.seq).toBe(4)
    expect(nearest(requestOf('nothing alike'), index)?.line.seq).toBe(1)
    expect(nearest(requestOf('a'), new TapeIndex([]))).toBeNull()
  })
})

describe('differenceOf', () => {
  it('shows what went and what came, field by field', () => {
    const before = requestOf('a\nb\nc')
    expect(differenceOf(before, before)).toEqual([])
    expect(differenceOf(before, requestOf('a\nB\nc\nd', { sampling: { temperature: 1 } }))).toEqual([
      '- sampling: {"temperature":0}', '+ sampling: {"temperature":1}', '- messages.0 (user): b', '+ messages.0 (user): B', '+ messages.0 (user): d',
    ])
    expect(differenceOf({ ...before, sampling: { a: 1, b: 2 } }, { ...before, sampling: { b: 2, a: 1 } })).toEqual([])
    expect(differenceOf(requestOf('a\nb'), requestOf('a'))).toEqual(['- messages.0 (user): b'])
  })

  it('sees an order, and lines that come twice', () => {
    expect(differenceOf(requestOf('a\nb\nc'), requestOf('b\na\nc'))).toEqual(['a', 'b', 'b', 'a'].map((line, at) => `${'-+'[at % 2]} messages.0 (user): ${line}`))
    expect(differenceOf(requestOf('a'), requestOf('a\na'))).toEqual(['+ messages.0 (user): a'])
  })
})

describe('miss', () => {
  it('says what is missing and where, and what to do', () => {
    const { code, message } = miss('tapes/one', requestOf('b'), at, new TapeIndex([exchange(1, 'a')]), null)
    expect(code).toBe('TD_RECORDING_MISS')
    expect(message).toMatch(/^tapes\/one: no answer of fake \(m-1\) is recorded for BTC\/USDT at 2024-01-01\S*, key [0-9a-f]{12}; record it with tapedeck record <scenario>\./)
    expect(message).toMatch(/- messages\.0 \(user\): a\n +\+ messages\.0 \(user\): b$/)
  })

  it('says that there is nothing, and shows no more than helps', () => {
    expect(miss('r', requestOf('b'), at, new TapeIndex([]), null).message).toMatch(/The recording is empty\.$/)
    const long = (letter: string): string => Array.from({ length: 30 }, (_, index) => `${letter}${index}`).join('\n')
    const { message } = miss('r', requestOf(long('b')), at, new TapeIndex([exchange(1, long('a'))]), null)
    expect(message.split('\n')).toHaveLength(15)
    expect(message).toMatch(/… and 48 more lines$/)
  })
})
