import { writeFileSync } from 'node:fs'
import { TapedeckError } from '../errors.ts'
import { didYouMean } from '../core/suggest.ts'
import { defineCommand } from './command.ts'
import type { Terminal } from './terminal.ts'

const FORMATS = ['table', 'json', 'csv', 'parquet'] as const

interface Arguments {
  readonly sql?: string
  readonly runs?: readonly string[]
  readonly folder: string
  readonly format?: (typeof FORMATS)[number]
  readonly json: boolean
  readonly out?: string
  readonly strict: boolean
  readonly list: boolean
  readonly schema: boolean
}

export const queryCommand = defineCommand<Arguments>({
  command: 'query [sql]',
  describe: 'Ask audit trails in SQL, or by the name of a ready-made question',
  builder: (argv) =>
    argv
      .positional('sql', { type: 'string', describe: 'one SELECT, the name of a question, or with --schema that of a table' })
      .option('runs', { type: 'string', array: true, nargs: 1,
        describe: "a run's directory, its id or the beginning of it, or a pattern such as 'demo-*'; left out = all" })
      .option('folder', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
      .option('format', { choices: FORMATS, requiresArg: true, describe: 'how rows are written; left out = table, or what --out ends in' })
      .option('json', { type: 'boolean', default: false, describe: 'the same as --format json' })
      .option('out', { type: 'string', requiresArg: true, describe: 'write the rows to a file' })
      .option('strict', { type: 'boolean', default: false, describe: 'exit code 1 where a trail has damaged lines' })
      .option('list', { type: 'boolean', default: false, describe: 'list the ready-made questions' })
      .option('schema', { type: 'boolean', default: false, describe: 'describe the tables, or one of them, column by column' })
      .example("tapedeck query 'SELECT reason, count(*) FROM decisions GROUP BY 1'", 'of all runs')
      .example('tapedeck query hit-rate --runs demo-*', 'a ready-made question about some runs'),
  async handler(argv, terminal) {
    const format = formatOf(argv)
    if (argv.list || argv.schema) {
      const { describeTables, listQuestions } = await import('./query-listings.ts')
      if (argv.list) listQuestions(format === 'json', terminal)
      else describeTables(argv.sql, format === 'json', terminal)
      return 0
    }
    const { checkOutFile } = await import('./out-file.ts')
    if (argv.out !== undefined) checkOutFile(argv.out)
    const sql = await sqlOf(argv.sql)
    const [{ ask }, { findSources }, { tellFindings }] = await Promise.all([
      import('../audit/analytics/question.ts'), import('../audit/analytics/sources.ts'), import('./findings.ts')])
    const { reader, findings } = await ask(findSources(argv.folder, argv.runs), sql, terminal.world.signal)
    await show(reader, format, argv.out, terminal)
    return tellFindings(findings, argv.strict, terminal)
  },
})

/** Throws TD_USAGE for formats that do not go together. */
function formatOf({ format, json, out }: Arguments): (typeof FORMATS)[number] {
  if (json && format !== undefined && format !== 'json') {
    throw new TapedeckError('TD_USAGE', `--json and --format ${format} exclude each other; give one of them`)
  }
  const ending = FORMATS.find((one) => out?.toLowerCase().endsWith(`.${one}`))
  const chosen = json ? 'json' : format ?? ending ?? 'table'
  if (ending === 'parquet' && chosen !== 'parquet') {
    throw new TapedeckError('TD_USAGE', `--out ${out}: the name says parquet, but ${chosen} is asked for; give another name or --format parquet`)
  }
  if (chosen === 'parquet' && out === undefined) {
    throw new TapedeckError('TD_USAGE', '--format parquet: no terminal shows that; give a file with --out')
  }
  return chosen
}

/** A name without a space is a ready-made question's; everything else is SQL. */
async function sqlOf(given: string | undefined): Promise<string> {
  const { questionOf, QUESTIONS } = await import('../audit/analytics/questions.ts')
  if (given === undefined || given.trim() === '') {
    throw new TapedeckError('TD_USAGE', 'query: give one SELECT or the name of a question; `tapedeck query --list` shows those, --schema the tables')
  }
  const named = questionOf(given.trim())
  if (named !== undefined) return named.sql
  if (/^[\w-]+$/.test(given.trim())) {
    const names = QUESTIONS.map(({ name }) => name)
    throw new TapedeckError('TD_USAGE', `query: there is no question "${given.trim()}".${didYouMean(given.trim(), names)} \`tapedeck query --list\` shows what there is.`)
  }
  return given
}

type Reader = Awaited<ReturnType<typeof import('../audit/analytics/question.ts')['ask']>>['reader']

async function show(reader: Reader, format: (typeof FORMATS)[number], out: string | undefined, terminal: Terminal): Promise<void> {
  const [{ plainTable }, { resultCsv, resultRows, resultText }, { writeOutFile }] = await Promise.all([
    import('../audit/analytics/values.ts'), import('../report/result-text.ts'), import('./out-file.ts')])
  if (format === 'parquet') {
    const { writeParquet } = await import('../audit/analytics/result-parquet.ts')
    return writeOutFile(out!, (building) => writeParquet(reader, building))
  }
  const table = plainTable(reader)
  if (out !== undefined) {
    const text = format === 'csv' ? resultCsv(table) : format === 'json' ? `${JSON.stringify(resultRows(table), null, 2)}\n`
      : `${resultText(table, Infinity, false)}\n`
    return writeOutFile(out, (building) => { writeFileSync(building, text, { flush: true }) })
  }
  if (format === 'json') terminal.json(resultRows(table))
  else if (format === 'csv') terminal.print(resultCsv(table))
  else terminal.print(resultText(table, terminal.watched ? terminal.width : Infinity, terminal.colour))
}
