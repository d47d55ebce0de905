import { copyFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sample, scenario, workspace } from '../support/cli.ts'

const CLOCK = ['startedAt', 'finishedAt']
const MEASURED = ['elapsedMs', 'candlesPerSecond', 'wallMs']

describe('the same scenario in two folders', () => {
  it('writes the same bytes; only run.json knows when and how fast', async () => {
    const places = ['here', 'quite/somewhere/else'].map((folder) => {
      const place = workspace()
      place.put(`${folder}/notes.txt`, '')
      copyFileSync(sample, place.path(folder, 'tape.csv.gz'))
      place.put(`${folder}/s.yaml`, scenario({
        market: { file: 'tape.csv.gz' }, strategy: { name: 'autonomous-scalper' },
        policy: { minConfidence: 'breakeven', positionSize: 0.3 },
      }))
      return { place, folder }
    })
    const runs: string[] = []
    for (const [index, { place, folder }] of places.entries()) {
      // Another zone and language of the machine must not show either.
      const env = index === 0 ? {} : { TZ: 'Asia/Kolkata', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }
      runs.push((await place.json(['backtest', `${folder}/s.yaml`, '--out', `${folder}/results`], env)).run)
    }
    expect(runs[0]).toBe(runs[1])
    const [first, second] = places.map(({ place, folder }) => (name: string): string =>
      place.read(folder, 'results', runs[0], name))
    for (const name of ['audit.jsonl', 'trades.csv', 'equity.csv', 'report.html']) {
      // Not by toEqual: a difference in megabytes would be printed.
      expect(first(name) === second(name), name).toBe(true)
      for (const { place } of places) expect(first(name).includes(place.folder), name).toBe(false)
    }
    const timeless = (text: string): unknown =>
      JSON.parse(text, (key, value: unknown) => ([...CLOCK, ...MEASURED].includes(key) ? undefined : value))
    expect(timeless(first('run.json'))).toEqual(timeless(second('run.json')))
    const record = JSON.parse(first('run.json')) as Record<string, unknown> & { figures: Record<string, unknown> }
    for (const name of CLOCK) expect(record[name]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    for (const name of MEASURED) expect(record.figures[name]).toBeGreaterThan(0)
    for (const name of ['audit.jsonl', 'trades.csv', 'equity.csv', 'report.html']) {
      expect(first(name)).not.toContain(new Date().toISOString().slice(0, 10))
    }
  })
})
