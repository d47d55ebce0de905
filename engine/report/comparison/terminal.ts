import type { Cell, Comparison } from '../../compare/comparison.ts'
import { count, plural } from '../format.ts'
import { apart, box, heading, item, paint, span, type Line } from '../terminal-layout.ts'
import { honesty } from './honesty.ts'
import { matrix } from './matrix.ts'
import { badgeNotes, badgeText } from './columns.ts'
import { axesOf, baselineRows, groupsOf, namesOf, shortName, type Group } from './rows.ts'
import {
  acrossText, byCost, calibrationText, disagreementText, pairText, providerFacts, refinementText, regretName, regretText, windowText,
} from './wording.ts'

export interface ComparisonTerminalOptions {
  readonly colour: boolean
  /** Columns of the terminal, at least 40. Wider than 180 is not used. */
  readonly width: number
  /** Where the comparison's files are. */
  readonly folder?: string | undefined
}

/** Sentences are not set wider than this: long lines are hard to read. */
const PROSE = 112
/** Most lines of a kind; the Markdown and the page have them all. */
const MOST = 8

const sentences = (title: string, texts: readonly string[], width: number, most = MOST): Line[] => {
  if (texts.length === 0) return []
  const rest = texts.length - most
  return [
    [], heading(title, Math.min(PROSE, width)), ...texts.slice(0, most).flatMap((text) => item('·', text, Math.min(PROSE, width))),
    ...(rest > 0 ? item('…', `${count(rest)} more in --markdown and on the page.`, Math.min(PROSE, width), 'soft') : []),
  ]
}

function head(comparison: Comparison, width: number): Line[] {
  const { common } = axesOf(comparison)
  const { cells, windows } = comparison
  return [
    ...box([
      apart(
        [span(comparison.name, 'bold'), ...(comparison.interrupted ? [span('  '), span('! interrupted', 'warn')] : [])],
        [span(plural(cells.length, 'cell'), 'bold')], width - 4,
      ),
      [span(`Comparison over ${plural(windows.length, 'stretch of candles', 'stretches of candles')}`, 'soft')],
    ], width),
    ...comparison.warnings.flatMap((warning) => item('!', warning, width, 'warn')),
    ...(comparison.interrupted ? item('!', 'Interrupted: cells are missing.', width, 'warn') : []),
    ...(common.length === 0 ? [] : item('·', `All cells: ${common.join(', ')}.`, width, 'soft')),
  ]
}

function cellWarnings(cells: readonly Cell[], varying: readonly string[], width: number): Line[] {
  const texts = cells.flatMap((cell) => cell.warnings.map((warning) => `${shortName(cell, varying)}: ${warning}`))
  return [
    ...texts.slice(0, MOST).flatMap((text) => item('!', text, width, 'warn')),
    ...(texts.length > MOST ? item('!', `${plural(texts.length - MOST, 'warning')} more in --markdown and on the page.`, width, 'warn') : []),
  ]
}

function windowLines(group: Group, comparison: Comparison, width: number): Line[] {
  const { varying } = axesOf(comparison)
  const { window, cells } = group
  const prose = Math.min(PROSE, width)
  const baselines = baselineRows(group, namesOf(comparison))
  const { lines, left } = matrix({ cells, baselines, varying, width })
  return [
    [], heading(group.scenario, width), ...(window === null ? [] : item('·', windowText(window), prose, 'soft')), ...cellWarnings(cells, varying, prose), ...lines,
    ...(left.length === 0 ? [] : item('…', `No room for ${left.join(', ')}: --markdown and the page show them.`, prose, 'soft')),
    ...badgeNotes(cells).flatMap((note) => item(' ', `${badgeText(note)} (${plural(note.cells, 'cell')}): ${note.why}`, prose)),
    ...baselines.filter(({ name }) => name !== 'Flat').flatMap(({ name, note }) => item(' ', `= ${name}: ${note}`, prose)),
    ...(window === null ? [] : honesty(window, cells).flatMap(({ label, text, alert }) => item(alert ? '!' : '·', `${label}: ${text}`, prose, alert ? 'warn' : undefined))),
  ]
}

const WEIGHT: Readonly<Record<string, number>> = { 'buy-and-hold': 0, baseline: 1, best: 2 }

/** Against holding, rules and the best first: those decide whether anything goes live. */
const pairs = (comparison: Comparison): string[] => {
  const name = namesOf(comparison)
  return comparison.pairs.toSorted((a, b) => (WEIGHT[a.against] ?? 3) - (WEIGHT[b.against] ?? 3))
    .map((row) => `${name(row.a)} − ${name(row.b)}: ${pairText(row)}`)
}

/** A reason is dear elsewhere when what it refused would have earned a fifth of a stake. */
const DEAR = 0.2

/** All reasons of each window's best cell, and the dear ones of the others. */
function regrets(comparison: Comparison): string[] {
  const name = namesOf(comparison)
  const bests = new Set(comparison.windows.flatMap(({ best }) => best ?? []))
  const say = (cell: Cell, dear: boolean): string[] =>
    byCost(cell.regret).filter(({ total }) => !dear || total > DEAR).map((row) => `${name(cell.id)}, ${regretName(row)}: ${regretText(row)}`)
  const [best, others] = [comparison.cells.filter(({ id }) => bests.has(id)), comparison.cells.filter(({ id }) => !bests.has(id))]
  const dearest = (cell: Cell): number => Math.max(0, ...cell.regret.map(({ total }) => total))
  return [...best.flatMap((cell) => say(cell, false)), ...others.toSorted((a, b) => dearest(b) - dearest(a)).flatMap((cell) => say(cell, true))]
}

/** A comparison for a terminal, without a final line break. Only paths and other long words exceed the width. */
export function renderComparison(comparison: Comparison, options: ComparisonTerminalOptions): string {
  const width = Math.min(180, Math.max(40, Math.floor(options.width)))
  const prose = Math.min(PROSE, width)
  const providers = providerFacts(comparison)
  return paint([
    ...head(comparison, prose),
    ...groupsOf(comparison).flatMap((group) => windowLines(group, comparison, width)),
    ...sentences('Paired differences, same days', pairs(comparison), width),
    ...sentences('Over all scenarios', comparison.across.map((row) => `${row.name}: ${acrossText(row)}`), width),
    ...sentences('Regret: what was refused', regrets(comparison), width),
    ...sentences('Calibration', providers.map((row) => `${row.scenario} · ${row.name}: ${calibrationText(row.calibration)}`), width),
    ...sentences('Asking again', providers.flatMap((row) => (row.refinement === null ? [] : `${row.scenario} · ${row.name}: ${refinementText(row.refinement)}`)), width),
    ...sentences('Disagreement', comparison.disagreements.map((row) => `${row.scenario} · ${row.a} and ${row.b}: ${disagreementText(row)}`), width),
    ...sentences(`Assumptions (${comparison.assumptions.length})`, comparison.assumptions, width, comparison.assumptions.length),
    [],
    [span('Comparison ', 'soft'), span(comparison.id)],
    // A path is never wrapped or cut, so that it can be copied.
    ...(options.folder === undefined ? [] : [[span('Folder     ', 'soft'), span(options.folder)]]),
  ], options.colour)
}
