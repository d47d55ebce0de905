import { parse } from 'yaml'
import type { Argv } from 'yargs'
import { resolveScenario, type Resolution } from '../config/resolve.ts'
import { blameFlags, loadScenario, yamlProblem, type Override } from '../config/scenario-file.ts'
import { TapedeckError } from '../errors.ts'
import { registry } from '../assemble.ts'
import type { Terminal } from './terminal.ts'
import { pair } from './values.ts'

/** Flags that change a scenario, and the path that each one sets. */
const FLAGS = {
  from: 'market.from',
  to: 'market.to',
  'min-confidence': 'policy.minConfidence',
  'stop-loss': 'policy.stopLoss',
  'take-profit': 'policy.takeProfit',
  'position-size': 'policy.positionSize',
  audit: 'audit',
} as const

const DESCRIPTIONS: Readonly<Record<keyof typeof FLAGS, string>> = {
  from: 'first candle: YYYY-MM-DD, ISO time or epoch ms',
  to: 'end of the tape, exclusive',
  'min-confidence': 'entries need at least this: 0 … 1, or breakeven+0.02',
  'stop-loss': 'distance below the entry: 0.05 means 5 %, null for none',
  'take-profit': 'distance above the entry: 0.03 means 3 %, null for none',
  'position-size': 'share of equity per entry: 0.02 means 2 %',
  audit: 'full, trades or off',
}

export interface ScenarioArguments {
  readonly set?: readonly string[]
  readonly allowHost?: readonly string[]
  readonly [flag: string]: unknown
}

/** For commands that take a scenario as it is written. */
export const allowHost = (argv: Argv<unknown>): Argv<unknown> => argv.option('allow-host', {
  type: 'string', array: true, nargs: 1, describe: 'a host that keys of AI providers may be sent to, beside their own: --allow-host proxy.example.com',
})

export function scenarioOptions<T>(argv: Argv<T>): Argv<T & ScenarioArguments> {
  let with_ = argv as Argv<unknown>
  for (const [flag, describe] of Object.entries(DESCRIPTIONS)) {
    with_ = with_.option(flag, { type: 'string', requiresArg: true, describe })
  }
  return allowHost(with_).option('set', {
    type: 'string', array: true, nargs: 1, describe: 'any key of the scenario: --set strategy.params.fast=5',
  }) as Argv<T & ScenarioArguments>
}

/** What the flags of a command line change. Throws TD_USAGE. */
export function overridesOf(argv: ScenarioArguments): Override[] {
  const found: Override[] = []
  for (const [flag, path] of Object.entries(FLAGS)) {
    const value = argv[flag] as string | undefined
    if (value === undefined) continue
    if (value.trim() === '') throw new TapedeckError('TD_USAGE', `--${flag}: the value is empty`)
    found.push({ path, value: scalar(value, `--${flag}`), flag: `--${flag}` })
  }
  for (const text of argv.set ?? []) {
    const [path, value] = pair('set', text, 'strategy.params.fast=5')
    found.push({ path, value: scalar(value, `--set ${text}`), flag: '--set' })
  }
  return found
}

/** Without a scenario there is nothing to change, and nobody should believe that something was. */
export function refuseChanges(argv: ScenarioArguments): void {
  const flag = [...Object.keys(FLAGS), 'set'].find((name) => argv[name] !== undefined)
  if (flag !== undefined) {
    throw new TapedeckError('TD_USAGE', `--${flag} changes a scenario, but none is named; give the path of its file`)
  }
}

/** Values are read as in the file: 5 is a number, null is null, [a, b] a list. */
export function scalar(text: string, where: string): unknown {
  try {
    return parse(text, { logLevel: 'error' }) as unknown
  } catch (error) {
    throw new TapedeckError('TD_USAGE', `${where}: not a value (${yamlProblem(error)})`, { cause: error })
  }
}

/** Loads and resolves the scenarios of a command line, all of them before any is run. */
export function resolveAll(
  paths: readonly string[], argv: ScenarioArguments, terminal: Terminal, settings = terminal.settings,
): Promise<Resolution[]> {
  const changes = overridesOf(argv)
  if (argv.allowHost !== undefined) terminal.allowHosts(argv.allowHost)
  return Promise.all(paths.map(async (path) => {
    try {
      return await resolveScenario(loadScenario(path, changes), settings, registry)
    } catch (error) {
      throw blameFlags(error, path, changes)
    }
  }))
}
