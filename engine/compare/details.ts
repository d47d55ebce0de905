import type { ChartCandles } from '../report/report-data.ts'
import type { OpinionRow, PassDetail } from './comparison.ts'
import type { KeptCell } from './kept.ts'

/** Opinions on one page: beyond that it would take long to open. */
const MOST_OPINIONS = 4_000

/** What a reader may click through, pass by pass; opinions that cells share stand there once. */
export function detailsOf(
  { cells }: { readonly cells: readonly { readonly id: string; readonly pass: string; readonly read: { readonly charts: readonly ChartCandles[] } }[] },
  kept: ReadonlyMap<string, KeptCell>,
): PassDetail[] {
  const passes = new Map<string, typeof cells[number][]>()
  for (const cell of cells) passes.set(cell.pass, [...(passes.get(cell.pass) ?? []), cell])
  const each = Math.max(50, Math.floor(MOST_OPINIONS / Math.max(1, passes.size)))
  return [...passes].map(([pass, group]) => {
    const opinions: OpinionRow[] = []
    const places = new Map<string, number>()
    const decisions: Record<string, PassDetail['decisions'][string]> = {}
    let omitted = 0
    for (const { id } of group) {
      const { detail, detailOmitted } = kept.get(id)!
      omitted += detailOmitted
      const rows: PassDetail['decisions'][string][number][] = []
      for (const { status, reason, earned, ...opinion } of detail) {
        const key = `${opinion.symbol} ${opinion.time}`
        let place = places.get(key)
        if (place === undefined) {
          if (opinions.length >= each) {
            omitted++
            continue
          }
          place = opinions.push(opinion) - 1
          places.set(key, place)
        }
        rows.push({ opinion: place, status, reason, earned })
      }
      decisions[id] = rows
    }
    return { pass, symbols: kept.get(group[0].id)!.scenario.symbols, charts: group[0].read.charts, opinions, omitted, decisions }
  })
}
