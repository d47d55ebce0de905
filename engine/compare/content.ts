import { createHash, type Hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResolvedScenario } from '../config/resolve.ts'
import { KEPT_FORMAT } from './kept.ts'

const hex = (hash: Hash, digits: number): string => hash.digest('hex').slice(0, digits)

/** SHA-256 of a recording's files; null where there is none. */
export function recordingHash(folder: string): string | null {
  if (!existsSync(folder)) return null
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).filter((one) => /\.jsonl?$/.test(one)).sort()) hash.update(name).update('\0').update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}

/** What decides, fills and measures: a result made by other code is another result. */
const CODE = ['core', 'pipeline', 'recording', 'session', 'compare', 'config', '../plugins', '../strategies']

/** SHA-256 of the program's own files. */
export function codeHash(): string {
  const engine = fileURLToPath(new URL('..', import.meta.url))
  const hash = createHash('sha256')
  for (const folder of CODE) {
    const names = readdirSync(join(engine, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /\.[jt]s$/.test(name) && !name.endsWith('.d.ts'))
    for (const name of names.sort()) hash.update(name).update('\0').update(readFileSync(join(engine, folder, name)))
  }
  return hash.digest('hex')
}

/** Everything beside the scenario that decides a cell's result. */
export interface Inputs {
  readonly candles: string
  readonly recording: string | null
  readonly code: string
}

/** A pass's id: the same candles, questions and costs. The scenario's name and how much is written down decide nothing. */
export function passIdOf({ name: _name, policy: _policy, audit, ...rest }: ResolvedScenario, inputs: Inputs): string {
  return hex(createHash('sha256').update(JSON.stringify([KEPT_FORMAT, inputs, audit, rest])), 16)
}

/** The key of a cell's trial: what it tries, however much of it is written down. */
export const trialOf = (scenario: ResolvedScenario, inputs: Inputs): string => cellIdOf(scenario, passIdOf({ ...scenario, audit: 'off' }, inputs))

/** A cell's id. */
export function cellIdOf(scenario: ResolvedScenario, passId: string): string {
  return hex(createHash('sha256').update(JSON.stringify([passId, scenario.policy])), 16)
}

/** The same configuration on other candles has the same setup. */
export function setupOf({ policy, strategy, providers, ai, broker, timeframe }: ResolvedScenario): string {
  const asked = ai === undefined ? null : { ...ai, recording: null }
  return hex(createHash('sha256').update(JSON.stringify([policy, strategy, providers, asked, broker, timeframe])), 12)
}
