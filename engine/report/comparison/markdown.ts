import type { Comparison } from '../../compare/comparison.ts'
import { percent } from '../format.ts'
import { plain } from '../text.ts'
import { badgeNotes, badgesText, badgeText, COLUMNS } from './columns.ts'
import { honesty } from './honesty.ts'
import { axesOf, axisName, baselineReturn, baselineRows, groupsOf, namesOf, shortName, type Group } from './rows.ts'
import { acrossText, byCost, calibrationText, disagreementText, pairText, providerFacts, refinementText, regretName, regretText, windowText } from './wording.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Data as one line of Markdown that neither a table nor HTML nor emphasis can be made of. */
const md = (text: string): string =>
  plain(text).trim().replace(/[&<>]/g, (character) => ENTITIES[character]).replace(/[\\`*_[\]|#~]/g, (character) => `\\${character}`)

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function matrix(group: Group, varying: readonly string[], name: (id: string) => string): string[] {
  const title = varying.length === 0 ? 'Cell' : varying.map(axisName).join(' · ')
  const blank = COLUMNS.map(() => '')
  return [
    line([title, ...COLUMNS.map((column) => column.title), 'Badges'].map(md)),
    line(['---', ...COLUMNS.map(() => '---:'), '---']),
    ...group.cells.map((cell) => line([shortName(cell, varying), ...COLUMNS.map(({ text }) => text(cell)), badgesText(cell)].map(md))),
    ...baselineRows(group, name).map((row) => line([row.name, ...blank.map((_, column) => (
      COLUMNS[column].key === 'netReturn' ? baselineReturn(row) : COLUMNS[column].key === 'maxDrawdown' && row.maxDrawdown !== null ? percent(row.maxDrawdown) : '')), '= baseline'].map(md))),
  ]
}

const list = (lines: readonly string[]): string[] => lines.map((text) => `- ${text}`)

const part = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines])

function windowPart(group: Group, comparison: Comparison): string[] {
  const { varying } = axesOf(comparison)
  const name = namesOf(comparison)
  const { window, cells } = group
  return [
    '', `## ${md(group.scenario)}`, '', ...(window === null ? [] : [md(windowText(window)), '']), ...matrix(group, varying, name), '',
    ...list([
      ...(window === null ? [] : honesty(window, cells).map(({ label, text, alert }) => `${alert ? '! ' : ''}**${md(label)}**: ${md(text)}`)),
      ...badgeNotes(cells).map((note) => md(`${badgeText(note)}: ${note.why}`)),
      ...baselineRows(group, name).map(({ name: what, note }) => md(`${what}: ${note}.`)),
      ...cells.flatMap((cell) => cell.warnings.map((warning) => md(`! ${shortName(cell, varying)}: ${warning}`))),
    ]),
  ]
}

/** A comparison as Markdown: the whole matrix of each window, and everything said below it. */
export function renderMarkdown(comparison: Comparison): string {
  const { common } = axesOf(comparison)
  const name = namesOf(comparison)
  const providers = providerFacts(comparison)
  const bests = new Set(comparison.windows.flatMap(({ best }) => best ?? []))
  return [
    `# ${md(comparison.name)}`, '', `Comparison ${md(comparison.id)}, Tapedeck ${md(comparison.tapedeck)}.${common.length === 0 ? '' : ` All cells: ${md(common.join(', '))}.`}`,
    ...(comparison.interrupted ? ['', '**! Interrupted: cells are missing.**'] : []),
    ...(comparison.warnings.length === 0 ? [] : ['', ...list(comparison.warnings.map((text) => `! ${md(text)}`))]),
    ...groupsOf(comparison).flatMap((group) => windowPart(group, comparison)),
    ...part('Paired differences, same days', list(comparison.pairs.map((row) => md(`${name(row.a)} − ${name(row.b)}: ${pairText(row)}`)))),
    ...part('Over all scenarios', list(comparison.across.map((row) => md(`${row.name}: ${acrossText(row)}`)))),
    ...part('Regret', list(comparison.cells.filter(({ id }) => bests.has(id)).flatMap((cell) => byCost(cell.regret).map((row) => md(`${name(cell.id)}, ${regretName(row)}: ${regretText(row)}`))))),
    ...part('Calibration', list(providers.map((row) => md(`${row.scenario} · ${row.name}: ${calibrationText(row.calibration)}`)))),
    ...part('Refinement', list(providers.flatMap((row) => (row.refinement === null ? [] : md(`${row.scenario} · ${row.name}: ${refinementText(row.refinement)}`))))),
    ...part('Disagreement', list(comparison.disagreements.map((row) => md(`${row.scenario} · ${row.a} and ${row.b}: ${disagreementText(row)}`)))),
    ...part('Assumptions', list(comparison.assumptions.map(md))), '',
  ].join('\n')
}
