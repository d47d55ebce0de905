import type { Argv } from 'yargs'
import { maskedSecrets, SETTING_NAMES } from '../config/settings.ts'
import type { Resolution } from '../config/resolve.ts'
import { scenarioJsonSchema } from '../config/json-schema.ts'
import { baseRate, breakEvenRate, DEFAULT_POLICY } from '../core/policy.ts'
import { registry } from '../assemble.ts'
import { isSecret } from '../recording/redaction.ts'
import { percent } from '../report/format.ts'
import { costsOf } from '../config/resolve-policy.ts'
import { defineCommand } from './command.ts'
import { refuseChanges, resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario?: string
  readonly json: boolean
  readonly schema: boolean
}

/** Every value of a resolved scenario by path, plugin options beside the plugin's name as in the file. */
function flatten(value: unknown, at = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[at, value]]
  return Object.entries(value)
    .flatMap(([key, inner]) => flatten(inner, key === 'options' ? at : at === '' ? key : `${at}.${key}`))
}

const originOf = ({ origins }: Resolution, path: string): string => {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const origin = origins.get(at)
    if (origin !== undefined) return origin
  }
  return 'default'
}

export const configCommand = defineCommand<Arguments>({
  command: 'config [scenario]',
  describe: 'Show settings, and each value of a scenario with its origin',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', describe: 'a scenario file' }))
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .option('schema', { type: 'boolean', default: false,
        describe: 'print the JSON Schema of scenario files, for editors' }),
  async handler(argv, terminal) {
    if (argv.schema) {
      terminal.json(await scenarioJsonSchema(registry))
      return 0
    }
    if (argv.scenario === undefined) refuseChanges(argv)
    const { settings, env } = terminal
    const values = Object.entries(SETTING_NAMES).map(([name, key]) => {
      const value = settings[key] ?? (DEFAULT_POLICY as unknown as Record<string, number | null>)[key] ?? null
      return { name, value, origin: env[name] ? 'environment' : value === null ? 'not set' : 'default' }
    })
    const secrets = maskedSecrets(env, (await registry.all()).flatMap((plugin) => plugin.env ?? []).filter(isSecret))
    const resolution = argv.scenario === undefined ? null : (await resolveAll([argv.scenario], argv, terminal))[0]
    const rows = resolution === null ? [] : flatten(resolution.scenario)
      .map(([path, value]) => ({ path, value, origin: originOf(resolution, path) }))
    const line = resolution === null ? null : breakEvenLine(resolution)
    if (argv.json) terminal.json({ settings: values, secrets, scenario: rows, breakEven: line })
    else {
      table(terminal, 'setting',
        values.map(({ name, value, origin }) => [name, value === null ? '–' : String(value), origin]))
      table(terminal, 'secret',
        Object.entries(secrets).map(([name, value]) => [name, value, env[name] ? 'environment' : '']))
      if (rows.length > 0) {
        table(terminal, 'scenario', rows.map(({ path, value, origin }) => [path, JSON.stringify(value), origin]))
      }
      if (line !== null) terminal.print(line.text)
    }
    if (line?.below === true) terminal.note('warning: the confidence threshold is below break-even')
    return 0
  },
})

function table(terminal: Terminal, title: string, rows: readonly (readonly [string, string, string])[]): void {
  const widths = [0, 1].map((column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
  terminal.print(`${title.padEnd(widths[0])}  ${'value'.padEnd(widths[1])}  origin`.trimEnd())
  for (const [name, value, origin] of rows) {
    terminal.print(`${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${origin}`.trimEnd())
  }
  terminal.print('')
}

function breakEvenLine({ scenario }: Resolution) {
  const { stopLoss, takeProfit, minConfidence } = scenario.policy
  const base = baseRate(stopLoss, takeProfit)
  const needed = breakEvenRate(stopLoss, takeProfit, costsOf(scenario.broker.options))
  const below = needed !== null && minConfidence < needed
  const text = needed === null
    ? `break-even: needs a stop and a target; threshold ${percent(minConfidence)}`
    : `base rate ${percent(base)} · break-even ${percent(needed)} · threshold ${percent(minConfidence)}`
      + (below ? '  ! below break-even' : '')
  return { baseRate: base, breakEven: needed, minConfidence, below, text }
}
