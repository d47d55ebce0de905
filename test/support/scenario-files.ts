import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { temporaryFolder } from './run-scenario.ts'

let count = 0

/** Writes a scenario file of its own, from YAML or from an object; it is gone when the test file ends. */
export function writeScenario(content: string | object): string {
  const path = join(temporaryFolder(), `scenario-${++count}.yaml`)
  writeFileSync(path, typeof content === 'string' ? content : stringify(content))
  return path
}
