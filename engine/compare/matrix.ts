import { policySchema } from '../config/scenario-schema.ts'
import type { Override } from '../config/scenario-file.ts'
import { TapedeckError } from '../errors.ts'
import type { Axis } from './comparison.ts'

/** Most cells of one comparison: more would take days and prove nothing, since the best of so many is luck. */
export const MOST_CELLS = 10_000

/** One axis of a matrix as it was asked for. */
export interface MatrixAxis {
  /** `providers`, a policy key, or a path into the scenario. */
  readonly key: string
  readonly values: readonly unknown[]
  /** How the user wrote it, for messages. */
  readonly flag: string
}

/** One choice of every axis. */
export interface Choice {
  readonly overrides: readonly Override[]
  /** Value by axis key, as text. */
  readonly labels: Readonly<Record<string, string>>
}

const isPolicyKey = (key: string): boolean => Object.hasOwn(policySchema.shape, key)

/** Where in a scenario an axis has its value. */
const pathOf = (key: string): string => (isPolicyKey(key) ? `policy.${key}` : key)

/** An axis from what a file or a flag says: a list, one value, or a range `0.5:0.9:0.05`, both ends included. Throws TD_USAGE. */
export function axisOf(key: string, given: unknown, flag: string): MatrixAxis {
  const values = (Array.isArray(given) ? given as unknown[] : [given]).flatMap((value): unknown[] => (typeof value === 'string' && value.includes(':') ? rangeOf(value, flag) : [value]))
  if (values.length === 0) throw new TapedeckError('TD_USAGE', `${flag}: there is no value in it; give one or more, such as 0.5,0.6 or 0.5:0.9:0.05`)
  const texts = values.map(textOf)
  const twice = texts.find((text, index) => texts.indexOf(text) !== index)
  if (twice !== undefined) throw new TapedeckError('TD_USAGE', `${flag}: ${twice} is listed twice; give each value once`)
  return { key, values: key === 'providers' ? values.map(providersOf) : values, flag }
}

/** `from:to:step` as numbers without binary noise; the last step may end below `to`. */
function rangeOf(text: string, flag: string): unknown[] {
  const parts = text.split(':')
  // Symbols and times have colons too.
  if (parts.length !== 3 || parts.some((part) => part.trim() === '' || Number.isNaN(Number(part)))) return [text]
  const [from, to, step] = parts.map(Number)
  if (!(step > 0) || !(to >= from) || !Number.isFinite(from) || !Number.isFinite(to)) {
    throw new TapedeckError('TD_USAGE', `${flag}: ${text} is no range; write from:to:step with a step above 0, such as 0.5:0.9:0.05`)
  }
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (count > MOST_CELLS) throw new TapedeckError('TD_USAGE', `${flag}: ${text} has ${count} values; at most ${MOST_CELLS} cells can be compared`)
  const decimals = Math.max(...[parts[0], parts[2]].map((part) => (part.split('.')[1] ?? '').length))
  return Array.from({ length: count }, (_, index) => (decimals <= 15 ? Number((from + index * step).toFixed(decimals)) : from + index * step))
}

/** One entry of `providers` is one chain: a name, a plugin's block, or a list of either. */
const providersOf = (value: unknown): unknown => (Array.isArray(value) ? value : typeof value === 'string' && value.includes('>') ? value.split('>').map((name) => name.trim()) : [value])

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join('>')
  if (typeof value === 'object' && value !== null && 'name' in value) {
    const { name, ...options } = value as { name: string }
    return Object.keys(options).length === 0 ? name : `${name} ${JSON.stringify(options)}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** Axes of the file, replaced by those of the command line, in that order. */
export function axesOf(fromFile: readonly MatrixAxis[], fromFlags: readonly MatrixAxis[]): MatrixAxis[] {
  const twice = fromFlags.find(({ key }, index) => fromFlags.findIndex((one) => pathOf(one.key) === pathOf(key)) !== index)
  if (twice !== undefined) throw new TapedeckError('TD_USAGE', `${twice.flag}: ${twice.key} is varied twice; give all its values at once`)
  const replaced = fromFile.map((axis) => fromFlags.find((one) => pathOf(one.key) === pathOf(axis.key)) ?? axis)
  return [...replaced, ...fromFlags.filter((one) => !replaced.includes(one))]
}

/** Every choice of the axes, the last axis moving fastest. Throws TD_USAGE where they are too many. */
export function choicesOf(axes: readonly MatrixAxis[], scenarios: number): Choice[] {
  const count = axes.reduce((product, { values }) => product * values.length, scenarios)
  if (count > MOST_CELLS) {
    throw new TapedeckError('TD_USAGE', `the matrix has ${count} cells, at most ${MOST_CELLS} can be compared; leave values out`)
  }
  let choices: Choice[] = [{ overrides: [], labels: {} }]
  for (const { key, values, flag } of axes) {
    choices = choices.flatMap(({ overrides, labels }) => values.map((value) => ({
      overrides: [...overrides, { path: pathOf(key), value, flag }],
      labels: { ...labels, [key]: textOf(value) },
    })))
  }
  return choices
}

/** The axes as a reader sees them, scenarios first where there are several. */
export function shownAxes(axes: readonly MatrixAxis[], scenarios: readonly string[]): Axis[] {
  const shown = axes.map(({ key, values }) => ({ key, values: values.map(textOf) }))
  return scenarios.length > 1 ? [{ key: 'scenario', values: scenarios }, ...shown] : shown
}
