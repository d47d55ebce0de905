import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { TapedeckError } from '../../../../engine/errors.ts'

/** A file of candles: `name` as the scenario says it, `path` where it is, `size` in bytes as stored. */
export interface TapeFile {
  readonly name: string
  readonly path: string
  readonly size: number
}

const isPattern = (entry: string): boolean => /[*?]/.test(entry)

/** Code units, not the reader's locale: the order of a tape must not depend on the machine. */
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function toRegExp(segment: string): RegExp {
  const body = segment.replace(/[\\^$.|+()[\]{}]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
  return new RegExp(`^${segment.startsWith('.') ? '' : '(?!\\.)'}${body}$`)
}

/** Names below `folder` that match; `prefix` is what has been matched so far, with its trailing slash. */
async function matches(folder: string, prefix: string, segments: readonly string[]): Promise<string[]> {
  const [segment, ...rest] = segments
  if (segment === undefined) return []
  if (!isPattern(segment) && rest.length > 0) return matches(folder, `${prefix}${segment}/`, rest)
  const entries = await readdir(resolve(folder, prefix), { withFileTypes: true }).catch(() => [])
  const found: string[] = segment === '**' ? await matches(folder, prefix, rest) : []
  const wanted = toRegExp(segment === '**' ? '*' : segment)
  for (const entry of entries) {
    if (!wanted.test(entry.name)) continue
    const name = `${prefix}${entry.name}`
    if (segment === '**' && entry.isDirectory()) found.push(...(await matches(folder, `${name}/`, segments)))
    else if (rest.length > 0) found.push(...(await matches(folder, `${name}/`, rest)))
    else if (!entry.isDirectory()) found.push(name)
  }
  return found
}

async function expand(entry: string, folder: string): Promise<string[]> {
  if (!isPattern(entry)) return [entry]
  const found = [...new Set(await matches(folder, '', entry.split('/')))].sort(byName)
  if (found.length > 0) return found
  throw new TapedeckError('TD_FILE_MISSING', `no candle file matches "${entry}" in ${folder}`)
}

async function measure(name: string, folder: string): Promise<TapeFile> {
  const path = resolve(folder, name)
  const found = await stat(path).catch((cause: unknown) => {
    throw new TapedeckError('TD_FILE_MISSING', `candle file "${name}" does not exist (looked for ${path})`, { cause })
  })
  if (found.isDirectory()) {
    throw new TapedeckError('TD_FILE_UNREADABLE', `"${name}" is a folder; for its files write "${name}/*.csv"`)
  }
  return { name, path, size: found.size }
}

/**
 * The files of one series: a list in the order given, a pattern's matches by name. Patterns know `*`, `?` and `**`.
 * Throws TD_FILE_MISSING for a path that is not there and for a pattern that matches nothing.
 */
export async function locate(entries: string | readonly string[], folder: string): Promise<readonly TapeFile[]> {
  const names: string[] = []
  for (const entry of typeof entries === 'string' ? [entries] : entries) names.push(...(await expand(entry, folder)))
  return Promise.all(names.map((name) => measure(name, folder)))
}
