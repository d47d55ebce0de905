import type { Cell, Comparison } from '../../compare/comparison.ts'
import { plain } from '../text.ts'

type Field = string | number | boolean | null

/** Numbers of a flat record, under a name before a dot. */
const numbers = (prefix: string, record: object | null, keys: readonly string[]): [string, Field][] =>
  keys.map((key) => [`${prefix}.${key}`, record === null ? null : (record as Readonly<Record<string, Field>>)[key] ?? null])

const bounds = (name: string, interval: { readonly low: number; readonly high: number } | null): [string, Field][] =>
  [[`${name}.low`, interval?.low ?? null], [`${name}.high`, interval?.high ?? null]]

const CALIBRATION = [
  'scored', 'resolved', 'censored', 'ambiguous', 'effective', 'brier', 'skill', 'ece', 'reliability', 'resolution', 'uncertainty', 'baseRate', 'walkRate',
  'breakEven', 'medianResolution',
]
const REFINEMENT = ['answered', 'flipped', 'compared', 'brierFirst', 'brierLast', 'difference', 'verdict']
const SHARPE = ['sharpe', 'periods', 'skewness', 'kurtosis', 'minimumTrackRecord', 'deflatedRaw', 'deflatedEffective']
const RANDOM = ['percentile', 'draws', 'median', 'low', 'high']
const REGRET = ['count', 'resolved', 'unknown', 'mean', 'total', 'winRate']

function fieldsOf(cell: Cell): [string, Field][] {
  const { figures: { undefinedBecause: _, ...figures }, calibration, refinement } = cell
  return [
    ['id', cell.id], ['scenario', cell.scenario], ['name', cell.name], ['provider', cell.provider], ['model', cell.model], ['setup', cell.setup], ['pass', cell.pass],
    ['baseline', cell.baseline], ['badges', cell.badges.map(({ kind }) => kind).join(';')], ['netReturn', cell.netReturn], ...bounds('netReturn', cell.interval),
    ['tooShort', cell.tooShort], ['answered', cell.answered], ['coverage', cell.coverage], ['aiCost', cell.aiCost], ['latencyP95', cell.latencyP95],
    ['ambiguousCandles', cell.ambiguousCandles], ['bounds.conservative', cell.bounds?.conservative ?? null], ['bounds.optimistic', cell.bounds?.optimistic ?? null],
    ...Object.entries(cell.labels).map(([key, value]): [string, Field] => [`axis.${key}`, value]),
    ...Object.entries<Field>({ ...cell.policy }).map(([key, value]): [string, Field] => [`policy.${key}`, value]),
    ...Object.entries<Field>(figures).map(([key, value]): [string, Field] => [`figures.${key}`, value]),
    ...Object.entries(cell.exits).map(([key, value]): [string, Field] => [`exits.${key}`, value]),
    ['decisions.total', cell.decisions.total], ['decisions.aiAsked', cell.decisions.aiAsked], ['decisions.aiFlipped', cell.decisions.aiFlipped],
    ...(['byStatus', 'byReason', 'byProvider'] as const).flatMap((by) =>
      Object.entries(cell.decisions[by]).map(([key, value]): [string, Field] => [`decisions.${by}.${key}`, value])),
    ...numbers('calibration', calibration, CALIBRATION), ...bounds('calibration.brier', calibration.brierInterval),
    ...bounds('calibration.skill', calibration.skillInterval),
    ...bounds('calibration.skillBounds', calibration.skillBounds),
    ...numbers('refinement', refinement, REFINEMENT), ...bounds('refinement.difference', refinement?.interval ?? null),
    ...numbers('sharpe', cell.sharpeStats, SHARPE), ...numbers('random', cell.random, RANDOM),
    ...cell.regret.flatMap((one) => numbers(`regret.${one.side}.${one.reason}`, one, REGRET)),
    ['warnings', cell.warnings.join('; ')], ['folder', cell.folder],
  ]
}

/** Text that a spreadsheet would calculate is led by an apostrophe, as OWASP advises; numbers stay what they are. */
const harmless = (text: string): string => (/^[=+\-@]/.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text)

function shown(field: Field | undefined): string {
  if (field === null || field === undefined) return ''
  if (typeof field !== 'string') return String(field)
  const text = harmless(plain(field))
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * A row per cell with every figure under its machine name, after RFC 4180: CRLF, quotes doubled. Undefined is empty. Equity and calibration bins,
 * which are no single figures, are in the JSON alone. A column that some cells lack, such as a reason of refusal, is empty there.
 */
export function renderCsv({ cells }: Pick<Comparison, 'cells'>): string {
  const rows = cells.map((cell) => new Map(fieldsOf(cell)))
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  return [columns.map(shown), ...rows.map((row) => columns.map((key) => shown(row.get(key))))].map((line) => `${line.join(',')}\r\n`).join('')
}
