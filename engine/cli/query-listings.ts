import { QUESTIONS } from '../audit/analytics/questions.ts'
import { TABLE_NAMES, tableOf, type TableName } from '../audit/analytics/schema.ts'
import { didYouMean } from '../core/suggest.ts'
import { TapedeckError } from '../errors.ts'
import { wrap } from '../report/text.ts'
import type { Terminal } from './terminal.ts'

/** `tapedeck query --list`. */
export function listQuestions(json: boolean, terminal: Terminal): void {
  if (json) return terminal.json(QUESTIONS)
  const width = Math.max(...QUESTIONS.map(({ name }) => name.length))
  for (const { name, about } of QUESTIONS) terminal.print(described(name.padEnd(width), about, terminal.width))
}

/** `tapedeck query --schema [table]`. Throws TD_USAGE for a table that there is not. */
export function describeTables(table: string | undefined, json: boolean, terminal: Terminal): void {
  if (table !== undefined && !isTable(table)) {
    throw new TapedeckError('TD_USAGE', `--schema ${table}: there is no such table.${didYouMean(table, TABLE_NAMES)} There are ${TABLE_NAMES.join(', ')}`)
  }
  const names = table === undefined ? TABLE_NAMES : [table]
  if (json) {
    return terminal.json(names.map((name) => ({
      table: name, about: tableOf(name).about, columns: tableOf(name).columns.map(({ name: column, type, about }) => ({ name: column, type, about })),
    })))
  }
  for (const [index, name] of names.entries()) {
    const { about, columns } = tableOf(name)
    if (index > 0) terminal.print('')
    terminal.print(`${name}\n${wrap(about, terminal.width - 2).map((line) => `  ${line}`).join('\n')}`)
    const widths = [Math.max(...columns.map((one) => one.name.length)), Math.max(...columns.map((one) => one.type.length))]
    for (const one of columns) {
      terminal.print(described(`    ${one.name.padEnd(widths[0])}  ${one.type.padEnd(widths[1])}`, one.about, terminal.width))
    }
  }
}

const isTable = (name: string): name is TableName => (TABLE_NAMES as readonly string[]).includes(name)

/** What it is called, and beside it what it is, over as many lines as that needs. */
function described(head: string, about: string, width: number): string {
  return wrap(about, width - head.length - 2).map((line, row) => `${row === 0 ? head : ' '.repeat(head.length)}  ${line}`).join('\n')
}
