import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TapedeckError } from '../errors.ts'
import { defineCommand } from './command.ts'

interface Arguments {
  readonly run: string
  readonly folder: string
  readonly parquet: boolean
  readonly csv: boolean
  readonly out?: string
  readonly json: boolean
  readonly strict: boolean
}

export const exportCommand = defineCommand<Arguments>({
  command: 'export <run>',
  describe: "Write a run's trail as tables for other programs",
  builder: (argv) =>
    argv
      .positional('run', { type: 'string', demandOption: true, describe: "a run's directory, its id, or the beginning of its id" })
      .option('folder', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
      .option('parquet', { type: 'boolean', default: false, describe: 'one Parquet file per table' })
      .option('csv', { type: 'boolean', default: false, describe: 'one CSV file per table' })
      .option('out', { type: 'string', requiresArg: true, describe: 'folder for the files; left out = exports/<run>' })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .option('strict', { type: 'boolean', default: false, describe: 'exit code 1 where the trail has damaged lines' }),
  async handler(argv, terminal) {
    const formats = [...(argv.parquet ? ['parquet' as const] : []), ...(argv.csv ? ['csv' as const] : [])]
    if (formats.length === 0) throw new TapedeckError('TD_USAGE', 'export: say in which form: --parquet, --csv or both')
    const [{ findSources }, { Analytics }, { TABLE_NAMES }, { tellFindings }, { writeOutFile }, { plural }] = await Promise.all([
      import('../audit/analytics/sources.ts'), import('../audit/analytics/database.ts'), import('../audit/analytics/schema.ts'),
      import('./findings.ts'), import('./out-file.ts'), import('../report/format.ts')])
    const sources = findSources(argv.folder, [argv.run])
    if (sources.length > 1) {
      throw new TapedeckError('TD_USAGE', `${argv.run}: ${sources.length} runs are meant: `
        + `${sources.slice(0, 5).map(({ run }) => run).join(', ')}${sources.length > 5 ? ' …' : ''}; give one`)
    }
    const folder = argv.out ?? join('exports', basename(sources[0].directory))
    checkFolder(folder)
    const analytics = await Analytics.open(sources)
    try {
      const files: { file: string; table: string; rows: number }[] = []
      for (const table of TABLE_NAMES) {
        const [{ rows }] = await analytics.rows(`SELECT count(*) AS rows FROM ${table}`)
        for (const format of formats) {
          const file = join(folder, `${table}.${format}`)
          await writeOutFile(file, (building) => analytics.write(`SELECT * FROM ${table}`, building, format))
          files.push({ file, table, rows: Number(rows) })
        }
      }
      if (argv.json) terminal.json({ run: sources[0].run, directory: sources[0].directory, files })
      else for (const { file, rows } of files) terminal.print(`${file}  ${plural(rows, 'row')}`)
      return tellFindings(analytics.findings, argv.strict, terminal)
    } finally {
      analytics.close()
    }
  },
})

function checkFolder(folder: string): void {
  if (folder.trim() === '' || (existsSync(folder) && !statSync(folder).isDirectory())) {
    throw new TapedeckError('TD_USAGE', `--out ${folder}: ${folder.trim() === '' ? 'the value is empty' : 'this is a file'}; give a folder`)
  }
  if (['run.json', 'cell.json', 'audit.jsonl'].some((name) => existsSync(join(folder, name)))) {
    throw new TapedeckError('TD_USAGE', `--out ${folder}: this is a run’s own folder; choose another`)
  }
}
