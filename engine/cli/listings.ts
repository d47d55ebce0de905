import type { Argv } from 'yargs'
import { z } from 'zod'
import { registry } from '../assemble.ts'
import type { Schema } from '../ports.ts'
import { defineCommand } from './command.ts'
import type { Terminal } from './terminal.ts'

interface Arguments {
  readonly json: boolean
}

interface Option {
  readonly type: string
  readonly default: unknown
  readonly description: string
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly default?: unknown
  readonly description?: string
}

/** `any` beside a real type is something that only the program can give, such as a date. */
function typeOf({ type, enum: choices, anyOf }: JsonSchema): string {
  if (choices !== undefined) return choices.join(' | ')
  if (anyOf === undefined) return typeof type === 'string' ? type : (type?.join(' | ') ?? 'any')
  const types = [...new Set(anyOf.map(typeOf))]
  return (types.length > 1 ? types.filter((one) => one !== 'any') : types).join(' | ')
}

/** The options that a schema accepts, nested ones as `fees.maker`. */
function optionsOf(schema: Schema<unknown>): Record<string, Option> {
  const found: Record<string, Option> = {}
  const walk = (node: JsonSchema, path: string): void => {
    if (node.properties !== undefined) {
      for (const [key, value] of Object.entries(node.properties)) walk(value, path === '' ? key : `${path}.${key}`)
    } else if (path !== '') {
      found[path] = { type: typeOf(node), default: node.default, description: node.description ?? '' }
    }
  }
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, '')
  return found
}

function showOptions(options: Record<string, Option>, terminal: Terminal): void {
  const width = Math.max(0, ...Object.keys(options).map((key) => key.length))
  for (const [key, option] of Object.entries(options)) {
    const value = option.default === undefined ? '' : ` = ${JSON.stringify(option.default)}`
    const description = option.description === '' ? '' : `  (${option.description})`
    terminal.print(`    ${key.padEnd(width)}  ${option.type}${value}${description}`)
  }
}

const json = (argv: Argv): Argv<unknown> =>
  argv.option('json', { type: 'boolean', default: false, describe: 'print JSON' })

export const strategiesCommand = defineCommand<Arguments>({
  command: 'strategies',
  describe: 'List strategies, their parameters and defaults',
  builder: json,
  async handler(argv, terminal) {
    const list = await Promise.all(registry.strategyNames.map((name) => registry.strategy(name)))
    const rows = list.map((strategy) => {
      const params = strategy.params.parse({})
      return {
        name: strategy.name, description: strategy.description, warmup: strategy.warmup(params),
        policy: strategy.policy ?? {},
        usesPortfolio: strategy.usesPortfolio === true, params: optionsOf(strategy.params),
      }
    })
    if (argv.json) terminal.json(rows)
    else {
      for (const [index, row] of rows.entries()) {
        if (index > 0) terminal.print('')
        terminal.print(`${row.name}\n  ${row.description}`)
        const sees = row.usesPortfolio ? '; sees its own position' : ''
        terminal.print(`  warm-up with defaults: ${row.warmup} candles${sees}`)
        const policy = Object.entries(row.policy).map(([key, value]) => `${key} = ${value}`)
        if (policy.length > 0) terminal.print(`  policy: ${policy.join(', ')}`)
        showOptions(row.params, terminal)
      }
    }
    return 0
  },
})

export const pluginsCommand = defineCommand<Arguments>({
  command: 'plugins',
  describe: 'List plugins and their options',
  builder: json,
  async handler(argv, terminal) {
    const rows = (await registry.all()).map(({ kind, name, description, env = [], options }) =>
      ({ kind, name, description, env, options: optionsOf(options) }))
    if (argv.json) terminal.json(rows)
    else {
      for (const [index, row] of rows.entries()) {
        if (index > 0) terminal.print('')
        terminal.print(`${row.kind} ${row.name}\n  ${row.description}`)
        if (row.env.length > 0) terminal.print(`  reads from the environment: ${row.env.join(', ')}`)
        showOptions(row.options, terminal)
      }
    }
    return 0
  },
})
