import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { messageOf, TapedeckError } from '../../errors.ts'

/** A directory whose trail can be asked: a run's, or a cell's of a comparison. */
export interface Source {
  /** The name that its rows carry: that of the directory. */
  readonly run: string
  readonly directory: string
  /** run.json or cell.json; null where a run that has just begun has none yet. */
  readonly record: Readonly<Record<string, unknown>> | null
  readonly isCell: boolean
}

const TRAIL = 'audit.jsonl'
/** Runs that a message names before it stops. */
const NAMED = 5

/**
 * Runs below `folder` and cells of comparisons in it, by name. `patterns`: directories, names below the folder with `*` and
 * `?`, or beginnings of ids; none = all. Throws TD_RUN_MISSING where a pattern meets nothing.
 */
export function findSources(folder: string, patterns: readonly string[] = []): Source[] {
  const known = directoriesIn(folder)
  const chosen = patterns.length === 0 ? known : [...new Set(patterns.flatMap((pattern) => meant(pattern, folder, known)))]
  if (chosen.length === 0) throw new TapedeckError('TD_RUN_MISSING', nothingIn(folder))
  return named(chosen, folder)
}

/** Only these directories. Throws TD_RUN_MISSING for one that is no run's. */
export function sourcesOf(directories: readonly string[]): Source[] {
  const strange = directories.find((path) => !isSource(path))
  if (strange !== undefined) throw new TapedeckError('TD_RUN_MISSING', `${strange}: not the directory of a run: it has no run.json`)
  return named(directories.map((path) => resolve(path)), '.')
}

function meant(pattern: string, folder: string, known: readonly string[]): string[] {
  // A name is taken as it is written before it is taken for a pattern: folders may well be called so.
  const literal = pattern === '' ? undefined : [pattern, join(folder, pattern)].find(isSource)
  if (literal !== undefined) return [resolve(literal)]
  const wanted = patternOf(pattern.replace(/\/$/, ''))
  const below = resolve(folder)
  const found = known.filter((path) => [relative(below, path), relative('.', path), path].some((name) => wanted.test(name)))
  if (found.length > 0) return found
  // As other commands take the beginning of an id.
  const begun = pattern === '' ? [] : known.filter((path) => basename(path).startsWith(pattern))
  if (begun.length > 0) return begun
  const some = known.slice(-NAMED).map((path) => relative(below, path)).join(', ')
  throw new TapedeckError('TD_RUN_MISSING', `${pattern}: no run is called so; `
    + (known.length === 0 ? nothingIn(folder) : `${folder} holds ${some}${known.length > NAMED ? ` and ${known.length - NAMED} more` : ''}`))
}

const nothingIn = (folder: string): string =>
  `${existsSync(folder) ? `${folder} holds no run` : `there is no folder ${folder}`}; give their parent folder with --folder`

/** `*` is anything within a name, `**` across folders, `?` one character. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*|\?)/).map((part) =>
    (part === '**' ? '.*' : part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)))
  return new RegExp(`^${parts.join('')}$`, 's')
}

/** `<folder>/*`, and the cells of comparisons in it, one level down or two. */
function directoriesIn(folder: string): string[] {
  const cells = (path: string): string[] => (existsSync(join(path, 'cells')) ? inside(join(path, 'cells')).filter(isSource) : [])
  const all = inside(folder)
  return [...all.filter(isSource), ...cells(folder), ...all.filter((path) => basename(path) !== 'cells').flatMap(cells)]
}

function inside(folder: string): string[] {
  if (!existsSync(folder)) return []
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.') && !entry.isFile())
      .map(({ name }) => resolve(folder, name)).sort()
  } catch (error) {
    throw new TapedeckError('TD_RUN_MISSING', `${folder}: cannot be read (${messageOf(error)}); give the folder of the runs`, { cause: error })
  }
}

const isSource = (path: string): boolean => ['run.json', 'cell.json', TRAIL].some((name) => existsSync(join(path, name)))

function named(directories: readonly string[], folder: string): Source[] {
  const names = new Map<string, number>()
  for (const path of directories) names.set(basename(path), (names.get(basename(path)) ?? 0) + 1)
  return directories.map((directory) => {
    const isCell = existsSync(join(directory, 'cell.json'))
    const name = basename(directory)
    return { run: names.get(name) === 1 ? name : relative(resolve(folder), directory), directory, isCell, record: recordOf(directory, isCell) }
  })
}

function recordOf(directory: string, isCell: boolean): Source['record'] {
  const file = join(directory, isCell ? 'cell.json' : 'run.json')
  if (!existsSync(file)) return null
  try {
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof record !== 'object' || record === null) throw new Error('it is not an object')
    return record as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${file}: cannot be read (${messageOf(error)}); restore the file, or leave the run out with --runs`,
      { cause: error })
  }
}

/** The source's trail; null for a run with `audit: off`, or one that has written nothing yet. */
export const trailOf = ({ directory }: Source): string | null => fileOf(directory, TRAIL)
/** The source's equity.csv; null for a run that has not ended. */
export const equityOf = ({ directory }: Source): string | null => fileOf(directory, 'equity.csv')

function fileOf(directory: string, name: string): string | null {
  const path = join(directory, name)
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0 ? path : null
}
