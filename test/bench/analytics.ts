import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../engine/audit/analytics/question.ts'
import { questionOf } from '../../engine/audit/analytics/questions.ts'
import { sourcesOf } from '../../engine/audit/analytics/sources.ts'

const ROUNDS = 5
const QUERIES: Readonly<Record<string, string>> = {
  'decisions by status': 'SELECT status, reason, count(*), avg(confidence) FROM decisions GROUP BY ALL',
  'rejections (ready-made)': questionOf('rejections')!.sql,
  'exits (ready-made)': questionOf('exits')!.sql,
  'hit-rate (ready-made, a join)': questionOf('hit-rate')!.sql,
  'every column of every decision': 'SELECT * FROM decisions ORDER BY seq DESC LIMIT 1',
}

/** What it takes to aggregate the trail in `directory`, whose lines are read anew each time, with DuckDB's start and without. */
export async function benchAnalytics(directory: string, say: (text: string) => void): Promise<void> {
  const sources = sourcesOf([directory])
  const time = async (sql: string): Promise<number> => {
    const runs: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now()
      await ask(sources, sql)
      runs.push(performance.now() - begun)
    }
    return runs.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]
  }
  const { reader } = await ask(sources, 'SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM fills) + (SELECT count(*) FROM trades)')
  const lines = Number(reader.getRows()[0][0])
  const start = await time('SELECT 1')
  say(`\nquestions about a trail of ${lines.toLocaleString('en')} lines, ${(statSync(join(directory, 'audit.jsonl')).size / 2 ** 20).toFixed(0)} MiB: median of ${ROUNDS} beyond the ${start.toFixed(0)} ms of an empty question`)
  for (const [name, sql] of Object.entries(QUERIES)) say(`  ${name.padEnd(32)} ${((await time(sql) - start) / 1000).toFixed(2)} s`)
}
