import { beforeEach, describe, expect, it } from 'vitest'
import { z, type ZodType } from 'zod'
import { TapedeckError } from '../../../engine/errors.ts'
import { definePlugin, defineStrategy } from '../../../engine/ports.ts'
import { parseOptions, Registry, type PluginManifest } from '../../../engine/registry.ts'

const strategy = defineStrategy({
  name: 'idle', description: 'waits', params: z.strictObject({}), warmup: () => 0, indicators: () => ({}),
  technical: () => ({ action: 'HOLD', confidence: 0, reasoning: 'waiting' }),
})
const provider = definePlugin({
  kind: 'provider', name: 'mute', description: 'never answers', options: z.strictObject({}),
  create: () => ({ refines: false, answer: () => Promise.reject(new Error('mute')) }),
})

describe('the registry', () => {
  let loaded: string[] = []
  beforeEach(() => { loaded = [] })
  const manifest = {
    market: {}, broker: {},
    provider: { mute: async () => { loaded.push('mute'); return { default: provider } },
      other: () => Promise.reject(new Error('broken file')) },
  } as unknown as PluginManifest
  const registry = new Registry(manifest, { idle: async () => ({ default: strategy }) })

  it('lists names without loading anything', () => {
    expect(registry.names('provider')).toEqual(['mute', 'other'])
    expect(registry.names('market')).toEqual([])
    expect(registry.strategyNames).toEqual(['idle'])
    expect(loaded).toEqual([])
  })

  it('gives all plugins, in the order of the manifest', async () => {
    const whole = new Registry({ ...manifest, provider: { mute: async () => ({ default: provider }) } }, {})
    expect(await whole.all()).toEqual([provider])
    await expect(registry.all()).rejects.toThrow('broken file')
  })

  it('loads what is named', async () => {
    expect(await registry.plugin('provider', 'mute')).toBe(provider)
    expect(await registry.strategy('idle')).toBe(strategy)
    expect(loaded).toEqual(['mute'])
  })

  it.each(['mut', 'constructor', '__proto__', 'toString', ''])('refuses the name %j', async (name) => {
    const error: unknown = await registry.plugin('provider', name).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TapedeckError)
    expect((error as TapedeckError).code).toBe('TD_PLUGIN_UNKNOWN')
    expect((error as TapedeckError).message).toContain(`unknown provider plugin "${name}"; there are: mute, other.`)
  })

  it('suggests, and passes on what goes wrong inside a plugin’s file', async () => {
    await expect(registry.strategy('idel')).rejects
      .toThrow('unknown strategy "idel"; there are: idle. Did you mean "idle"?')
    await expect(registry.plugin('provider', 'other')).rejects.toThrow('broken file')
  })
})

describe('options', () => {
  const message = (schema: ZodType, input: unknown, at: string[] = []): string => {
    try {
      parseOptions(schema, input, 's.yaml', at, 'TD_PLUGIN_OPTIONS')
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error
      expect(error.code).toBe('TD_PLUGIN_OPTIONS')
      return error.message
    }
    throw new Error('nothing was refused')
  }

  it('come back parsed, with their defaults', () => {
    expect(parseOptions(z.strictObject({ a: z.int().default(3) }), {}, 's.yaml', [], 'TD_PLUGIN_OPTIONS'))
      .toEqual({ a: 3 })
  })

  it.each<[string, ZodType, unknown, string]>([
    ['a number', z.number(), 'x', 's.yaml: expected a number, got "x"'],
    ['NaN', z.number(), NaN, 's.yaml: expected a number, got NaN'],
    ['a whole number', z.int(), 1.5, 's.yaml: expected a whole number, got 1.5'],
    ['a text', z.string(), 7, 's.yaml: expected a text, got 7'],
    ['a text with something in it', z.string().min(1), '', 's.yaml: expected at least 1 character, got ""'],
    ['a longer text', z.string().min(3), 'ab', 's.yaml: expected at least 3 characters, got "ab"'],
    ['a switch', z.boolean(), 'on', 's.yaml: expected true or false, got "on"'],
    ['an object', z.strictObject({}), [1], 's.yaml: expected keys with values, got [1]'],
    ['a list', z.array(z.string()), 'a', 's.yaml: expected a list, got "a"'],
    ['a list with entries', z.array(z.string()).min(1), [], 's.yaml: expected at least 1 entry, got []'],
    ['a short list', z.array(z.string()).max(1), ['a', 'b'], 's.yaml: expected at most 1 entry, got ["a","b"]'],
    ['at least', z.number().min(2), 1, 's.yaml: expected at least 2, got 1'],
    ['more than', z.number().gt(2), 2, 's.yaml: expected more than 2, got 2'],
    ['at most', z.number().max(2), 3, 's.yaml: expected at most 2, got 3'],
    ['less than', z.number().lt(2), 2, 's.yaml: expected less than 2, got 2'],
    ['one of some words', z.enum(['a', 'b', 'c']), 'd', 's.yaml: expected a, b or c, got "d"'],
    ['one of two kinds', z.union([z.string(), z.array(z.string())]), 3, 's.yaml: expected a text or a list, got 3'],
    ['own words', z.number('expected a share'), 'x', 's.yaml: expected a share, got "x"'],
    ['a deep place', z.strictObject({ a: z.strictObject({ b: z.number() }) }), { a: { b: null } },
      's.yaml: a.b: expected a number, got null'],
    ['what is missing', z.strictObject({ a: z.number() }), {}, 's.yaml: a: expected a number (missing)'],
    ['a key of a record', z.record(z.string().regex(/^[A-Z]+$/, 'expected capitals'), z.number()), { ab: 1 },
      's.yaml: ab: expected capitals, got "ab"'],
    ['the inside of the right alternative', z.union([z.string(), z.strictObject({ name: z.string() })]), { name: 3 },
      's.yaml: name: expected a text, got 3'],
    ['a key that is unknown', z.strictObject({ fast: z.int().optional() }), { fats: 1 },
      's.yaml: unknown key "fats". Did you mean "fast"?'],
    ['a key that is unknown deep down',
      z.strictObject({ a: z.strictObject({ fast: z.int().optional() }).optional() }).optional(), { a: { fats: 1 } },
      's.yaml: a: unknown key "fats". Did you mean "fast"?'],
  ])('say what was expected: %s', (_, schema, input, expected) => {
    expect(message(schema, input)).toBe(expected)
  })

  it('are named with the place of their block, one line per mistake', () => {
    const schema = z.strictObject({ a: z.number(), b: z.number() })
    expect(message(schema, { a: 'x', c: 1 }, ['strategy', 'params']).split('\n')).toEqual([
      's.yaml: strategy.params.a: expected a number, got "x"',
      's.yaml: strategy.params.b: expected a number (missing)',
      's.yaml: strategy.params: unknown key "c".',
    ])
  })

  it('are cut to what fits a line', () => {
    expect(message(z.number(), 'x'.repeat(500)).length).toBeLessThan(130)
  })
})
