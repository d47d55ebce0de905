import type { Cell } from '../../compare/comparison.ts'
import { plain } from '../text.ts'
import { badgesText, returnText } from './columns.ts'

/** What a gate said of one cell. */
export interface GateResult {
  /** As it was asked for: `netReturn>=-0.02`. */
  readonly gate: string
  /** Name of the cell. */
  readonly cell: string
  readonly passed: boolean
  /** What was found and what was expected. */
  readonly message: string
}

export interface JunitInput {
  readonly name: string
  readonly gates: readonly GateResult[]
  /** Listed, as passed, where no gate was asked for. */
  readonly cells?: readonly Cell[]
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text for XML 1.0, which holds no control characters, no lone surrogates and neither U+FFFE nor U+FFFF. */
const xml = (text: string): string => plain(text).replace(/[\p{Cs}\uFFFE\uFFFF]/gu, '').replace(/[&<>"]/g, (character) => ENTITIES[character])

const gateCase = ({ gate, cell, passed, message }: GateResult): string => {
  const head = `    <testcase classname="${xml(cell)}" name="${xml(gate)}"`
  return passed ? `${head}/>` : `${head}>\n      <failure message="${xml(message)}" type="gate"/>\n    </testcase>`
}

/** A cell is no test; it is listed so that its figures stand where a build shows its results. */
const cellCase = (cell: Cell): string => {
  const said = [returnText(cell), badgesText(cell)].filter((text) => text !== '').join(' · ')
  return `    <testcase classname="${xml(cell.scenario)}" name="${xml(cell.name)}">\n      ${
    cell.tooShort === null ? '' : `<skipped message="${xml(cell.tooShort)}"/>\n      `}<system-out>${xml(said)}</system-out>\n    </testcase>`
}

/** JUnit XML for a build server: a test case per gate and cell, or per cell where no gate was asked for. Holds no time. */
export function renderJunit({ name, gates, cells = [] }: JunitInput): string {
  const gated = gates.length > 0
  const cases = gated ? gates.map(gateCase) : cells.map(cellCase)
  const failures = gates.filter(({ passed }) => !passed).length
  const skipped = gated ? 0 : cells.filter(({ tooShort }) => tooShort !== null).length
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="${xml(name)}" ${counts}>`, `  <testsuite name="${xml(name)}" ${counts}>`,
    ...cases, '  </testsuite>', '</testsuites>', '',
  ].join('\n')
}
