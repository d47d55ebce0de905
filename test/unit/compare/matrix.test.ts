import { describe, expect, it } from 'vitest'
import { axesOf, axisOf, choicesOf, shownAxes } from '../../../engine/compare/matrix.ts'
import { nameOf } from '../../../engine/compare/names.ts'
import { coded } from '../../support/coded.ts'

describe('an axis', () => {
  it('is a list, one value, or a range with both ends and without binary noise', () => {
    expect(axisOf('minConfidence', '0.5:0.9:0.1', 'f').values).toEqual([0.5, 0.6, 0.7, 0.8, 0.9])
    expect(axisOf('minConfidence', ['0.5:0.6:0.05', 0.9], 'f').values).toEqual([0.5, 0.55, 0.6, 0.9])
    expect(axisOf('stopLoss', 0.05, 'f').values).toEqual([0.05])
    expect(axisOf('minConfidence', '0.5:0.58:0.05', 'f').values).toEqual([0.5, 0.55])
    expect(axisOf('market.from', '2024-01-01T00:00:00Z', 'f').values).toEqual(['2024-01-01T00:00:00Z'])
  })

  it('of providers holds chains', () => {
    expect(axisOf('providers', ['gemini', 'openai>gemini', { name: 'simulated', skill: 1 }], 'f').values)
      .toEqual([['gemini'], ['openai', 'gemini'], [{ name: 'simulated', skill: 1 }]])
  })

  it.each([
    ['0.9:0.5:0.1', '0.9:0.5:0.1 is no range'], ['0.5:0.9:0', 'no range'], ['0:1:0.00001', 'at most 10000 cells'], [[0.5, 0.5], '0.5 is listed twice'],
  ])('%j is refused', (given, says) => {
    expect(() => axisOf('minConfidence', given, '--min-confidence')).toThrow(coded('TD_USAGE', says))
  })
})

describe('a matrix', () => {
  const conf = axisOf('minConfidence', [0.5, 0.6], 'file')
  const fast = axisOf('strategy.params.fast', [5, 9], 'file')

  it('takes the place of the file\'s axis with the command line\'s, in its order', () => {
    const flag = axisOf('minConfidence', [0.7], '--min-confidence')
    expect(axesOf([conf, fast], [flag]).map(({ flag: given }) => given)).toEqual(['--min-confidence', 'file'])
    expect(() => axesOf([], [flag, axisOf('minConfidence', [0.8], '--set')])).toThrow(coded('TD_USAGE', 'varied twice'))
  })

  it('has a cell for each choice, the last axis moving fastest', () => {
    const choices = choicesOf([conf, fast], 1)
    expect(choices.map(({ labels }) => Object.values(labels).join(' '))).toEqual(['0.5 5', '0.5 9', '0.6 5', '0.6 9'])
    expect(choices[1].overrides.map(({ path, value }) => [path, value])).toEqual([['policy.minConfidence', 0.5], ['strategy.params.fast', 9]])
    expect(() => choicesOf(Array.from({ length: 14 }, () => conf), 1)).toThrow(coded('TD_USAGE', '16384 cells'))
  })

  it('names cells by what varies', () => {
    expect(nameOf({ minConfidence: '0.5', 'strategy.params.fast': '9', providers: 'gemini' }, ['providers', 'minConfidence', 'strategy.params.fast'], null)).toBe('gemini conf 0.5 fast 9')
    expect(nameOf({}, [], 'one')).toBe('one')
    expect(shownAxes([conf], ['a', 'b'])[0]).toEqual({ key: 'scenario', values: ['a', 'b'] })
  })
})
