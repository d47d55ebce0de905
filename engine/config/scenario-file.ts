import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { messageOf, TapedeckError } from '../errors.ts'
import { parseOptions } from '../registry.ts'
import { scenarioSchema, type ScenarioInput } from './scenario-schema.ts'

/** A scenario as written, with what the command line changed. */
export interface LoadedScenario {
  readonly path: string
  /** Where its relative paths start. */
  readonly folder: string
  readonly input: ScenarioInput
  /** Paths such as `policy.minConfidence` that the command line set. */
  readonly overridden: ReadonlySet<string>
}

/** A change from the command line: a path such as `strategy.params.fast` and its value. */
export interface Override {
  readonly path: string
  readonly value: unknown
  /** How the user wrote it, for messages. */
  readonly flag: string
}

/** Reads a scenario file and applies overrides. Throws TD_SCENARIO_MISSING or TD_SCENARIO_INVALID. */
export function loadScenario(path: string, overrides: readonly Override[] = []): LoadedScenario {
  const absolute = resolve(path)
  let text: string
  try {
    text = readFileSync(absolute, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no such file (looked for ${absolute})`
      : messageOf(error)
    throw new TapedeckError('TD_SCENARIO_MISSING',
      `${path}: the scenario cannot be read: ${reason}; give the path of a YAML file`, { cause: error })
  }
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: not valid YAML: ${yamlProblem(document.errors[0])}`,
      { cause: document.errors[0] })
  }
  const raw: unknown = document.toJS()
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const got = raw === null || raw === undefined ? 'an empty file' : Array.isArray(raw) ? 'a list'
      : `only ${JSON.stringify(raw).slice(0, 60)}`
    throw new TapedeckError('TD_SCENARIO_INVALID',
      `${path}: expected keys such as name, market and strategy, got ${got}`)
  }
  for (const { path: at, value, flag } of overrides) {
    if (at.split('.').includes('__proto__')) {
      throw new TapedeckError('TD_USAGE', `${flag} ${at}: unknown key "__proto__"`)
    }
    setAt(raw as Record<string, unknown>, at, value)
  }
  const input = parseOptions(scenarioSchema, raw, path, [], 'TD_SCENARIO_INVALID')
  if (input.symbol !== undefined && input.symbols !== undefined) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: give either symbol or symbols, not both`)
  }
  if (input.instrument !== undefined && input.instruments !== undefined) {
    throw new TapedeckError('TD_SCENARIO_INVALID',
      `${path}: give either instrument (for all symbols) or instruments (by symbol), not both`)
  }
  return { path, folder: dirname(absolute), input, overridden: new Set(overrides.map((one) => one.path)) }
}

/** A mistake that came by a flag names the flag, not only the key that it set. */
export function blameFlags(error: unknown, path: string, overrides: readonly Override[]): unknown {
  if (!(error instanceof TapedeckError)) return error
  const lines = error.message.split('\n').map((line) => {
    const guilty = overrides.find((one) => isAbout(line, path, one.path))
    return guilty === undefined ? line : `${line} (given by ${guilty.flag})`
  })
  return new TapedeckError(error.code, lines.join('\n'), { cause: error.cause })
}

/** True when a message names `key`, a key below it, or a step of it as unknown. */
function isAbout(line: string, path: string, key: string): boolean {
  if (line.startsWith(`${path}: ${key}:`) || line.startsWith(`${path}: ${key}.`)) return true
  const steps = key.split('.')
  return steps.some((step, index) => {
    const parent = steps.slice(0, index).join('.')
    return line.startsWith(`${path}: ${parent === '' ? '' : `${parent}: `}unknown key "${step}"`)
  })
}

/** What a YAML parser complains about, on one line. */
export const yamlProblem = (error: unknown): string => messageOf(error).split('\n')[0].replace(/:$/, '')

function setAt(target: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split('.')
  const last = steps.pop()!
  let node = target
  for (const step of steps) {
    if (!Object.hasOwn(node, step) || typeof node[step] !== 'object' || node[step] === null) defineAt(node, step, {})
    node = node[step] as Record<string, unknown>
  }
  defineAt(node, last, value)
}

/** Plain assignment would let a path such as `__proto__` reach the prototype. */
function defineAt(node: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(node, key, { value, enumerable: true, writable: true, configurable: true })
}
