import type { Findings } from '../audit/analytics/lines.ts'
import { count, plural } from '../report/format.ts'
import type { Terminal } from './terminal.ts'

/** Lines that are named before they are only counted. */
const NAMED = 5

/** Tells what could not be read of trails. Returns the exit code: 1 where `strict` and lines were damaged. */
export function tellFindings({ flaws, torn }: Findings, strict: boolean, terminal: Terminal): number {
  for (const { file, bytes } of torn) {
    terminal.note(`warning: ${file}: its last line is torn after ${plural(bytes, 'byte')}: it is being written, or a crash left it; all lines before it count`)
  }
  if (flaws.length === 0) return 0
  for (const { file, line, what } of flaws.slice(0, NAMED)) terminal.note(`warning: ${file}: line ${line} is damaged: ${what}`)
  const more = flaws.length > NAMED ? `, the first ${NAMED} are named` : ''
  terminal.note(`warning: ${count(flaws.length)} damaged ${flaws.length === 1 ? 'line was' : 'lines were'} left out${more}${strict ? '; exit code 1 because of --strict' : ''}`)
  return strict ? 1 : 0
}
