import { describe, expect, it } from 'vitest'
import { renderCsv } from '../../../../engine/report/comparison/csv.ts'
import { renderJunit } from '../../../../engine/report/comparison/junit.ts'
import { renderMarkdown } from '../../../../engine/report/comparison/markdown.ts'
import { comparisonFixture } from '../../../support/comparison-fixture.ts'

const { comparison } = comparisonFixture()
const EVIL = ']|</script><img src=x onerror="alert(1)">&\u001B[31m\u0007\n`*_\uD800'
const hostile = comparisonFixture({ hostile: EVIL }).comparison

/** Records of RFC 4180. */
function parse(csv: string): Record<string, string>[] {
  const rows = [...csv.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/g)].map(([, row]) =>
    [...row.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^",]*)/g)].map(([, field]) => field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
  const [head, ...body] = rows
  return body.map((row) => Object.fromEntries(head.map((key, index) => [key, row[index]])))
}

describe('renderCsv', () => {
  const rows = parse(renderCsv(comparison))

  it('has a row per cell with every digit, undefined empty', () => {
    expect(rows.map(({ id }) => id)).toEqual(comparison.cells.map(({ id }) => id))
    rows.forEach((row, index) => {
      const cell = comparison.cells[index]
      expect(Number(row['netReturn'])).toBe(cell.netReturn)
      expect(row['netReturn.low']).toBe(cell.interval === null ? '' : String(cell.interval.low))
      expect(row['figures.sharpe']).toBe(cell.figures.sharpe === null ? '' : String(cell.figures.sharpe))
      expect(row['calibration.skill']).toBe(cell.calibration.skill === null ? '' : String(cell.calibration.skill))
      expect(row['policy.minConfidence']).toBe(String(cell.policy.minConfidence))
      expect(row['axis.providers']).toBe(cell.provider)
    })
    expect(rows[1]).toMatchObject({ badges: 'best;dubious;after cut-off', 'regret.entry.confidence.count': '60', 'regret.entry.cooldown.mean': '', 'random.draws': '1000', 'sharpe.deflatedRaw': '0.412' })
    expect(rows[3]).toMatchObject({ 'figures.trades': '0', 'random.percentile': '', tooShort: 'too short: 0 trades, 30 are needed' })
  })

  it('quotes what holds commas or quotes, ends lines with CRLF and holds no control character', () => {
    const csv = renderCsv(hostile)
    expect(csv.replaceAll('\r\n', '')).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/)
    expect(parse(csv)[0]['warnings']).toBe(']|</script><img src=x onerror="alert(1)">& `*_\uD800')
    expect(csv.split('\r\n')).toHaveLength(hostile.cells.length + 2)
  })

  it('gives a spreadsheet nothing to calculate but numbers', () => {
    const [cell] = comparison.cells
    const [row] = parse(renderCsv({ cells: [{ ...cell, name: '=HYPERLINK("http://x")', warnings: ['-1'], netReturn: -0.5 }] }))
    expect(row).toMatchObject({ name: '\'=HYPERLINK("http://x")', warnings: '-1', netReturn: '-0.5' })
  })
})

describe('renderMarkdown', () => {
  const text = renderMarkdown(comparison)

  it('has a table per window with every column, and the honest lines', () => {
    expect(text).toContain('| gemini · 0.6 | +23.71 % \\[+15.61, +33.03\\] | 160 | -4.93 % | 4.70 | +0.054 | 50.0 % | 2.46 USD | 1.900 s | 2 \\[+23.31, +24.32\\] | 86.0 % | ★ best, ? dubious, ▷ after cut-off |')
    expect(text).toContain('| Buy and hold | -8.31 % |  | -25.14 % |')
    expect(text).toContain('- **Verdict**: The best of 37 trials is no better than luck would make it.')
    expect(text).toContain('- ! **Reality check**: p = 0.2314 against flat')
    for (const title of ['Paired differences, same days', 'Over all scenarios', 'Regret', 'Calibration', 'Refinement', 'Disagreement', 'Assumptions']) expect(text).toContain(`\n## ${title}\n`)
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
  })

  it('keeps its columns and its harmlessness whatever stands in the data', () => {
    const shown = renderMarkdown(hostile)
    expect(shown).not.toMatch(/<(?!\/?$)[a-z/]|[\u001B\u0007]/i)
    const rows = shown.split('\n').filter((line) => line.startsWith('| '))
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(13)
    expect(renderMarkdown(comparisonFixture().comparison)).toBe(text)
  })
})

describe('renderJunit', () => {
  it('is a test case per gate and cell, with what was found where one failed', () => {
    const xml = renderJunit({
      name: 'majors', cells: comparison.cells,
      gates: [
        { gate: 'netReturn>=-0.02', cell: 'gemini · 0.6', passed: true, message: '0.237 ≥ -0.02' },
        { gate: 'trades>=30', cell: 'gemini · 0.9', passed: false, message: '0 is not ≥ 30' },
      ],
    })
    expect(xml).toBe([
      '<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="majors" tests="2" failures="1" errors="0" skipped="0">',
      '  <testsuite name="majors" tests="2" failures="1" errors="0" skipped="0">',
      '    <testcase classname="gemini · 0.6" name="netReturn&gt;=-0.02"/>',
      '    <testcase classname="gemini · 0.9" name="trades&gt;=30">', '      <failure message="0 is not ≥ 30" type="gate"/>', '    </testcase>',
      '  </testsuite>', '</testsuites>', '',
    ].join('\n'))
  })

  it('lists cells where no gate was asked for, those that are too short as skipped', () => {
    const xml = renderJunit({ name: 'majors', gates: [], cells: comparison.cells })
    expect(xml).toContain(`tests="26" failures="0" errors="0" skipped="${comparison.cells.filter(({ tooShort }) => tooShort !== null).length}"`)
    expect(xml).toContain('<skipped message="too short: 0 trades, 30 are needed"/>')
    expect(xml).toContain('<system-out>+23.71 % [+15.61, +33.03] · ★ best, ? dubious, ▷ after cut-off</system-out>')
  })

  it('is well-formed whatever stands in the data', () => {
    const xml = renderJunit({ name: EVIL, gates: [{ gate: EVIL, cell: EVIL, passed: false, message: EVIL }] })
    expect(xml).not.toMatch(/<img|<\/script|&(?!amp;|lt;|gt;|quot;)|[\u0000-\u0008\u000B-\u001F\p{Cs}]/u)
  })
})
