import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { takeWriter } from './answers.ts'
import { assemble, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { TapedeckError } from './errors.ts'
import { KEY_VERSION } from './recording/key.ts'
import { keptLines, type Use } from './recording/pruning.ts'
import { redactor } from './recording/redaction.ts'
import { rekey, type Rekeyed } from './recording/rekeying.ts'
import { isRecording, manifestOfAnyVersion, readManifest, readTape, rewriteTape, TapeFile, writeManifest } from './recording/tape-file.ts'
import type { TapeLine } from './recording/tape-lines.ts'
import { runSession } from './session/session.ts'

/** Recordings lie near what uses them. */
const DEPTH = 4

/**
 * The recordings in `folders` and below them; without any, those below the working folder. A folder that is named has to
 * lead to one. Throws TD_RECORDING_MISSING.
 */
export function findRecordings(folders: readonly string[]): readonly string[] {
  if (folders.length === 0) return below('.', DEPTH)
  return folders.flatMap((folder) => {
    const found = below(folder, DEPTH)
    if (found.length > 0) return found
    throw new TapedeckError('TD_RECORDING_MISSING', `${folder}: there is no recording in it or below it; make one with tapedeck record <scenario>`)
  })
}

function below(folder: string, depth: number): string[] {
  if (isRecording(folder)) return [folder]
  if (depth === 0) return []
  let names: string[]
  try {
    names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    // What cannot be looked into holds nothing to list.
    return []
  }
  return names.filter((name) => !name.startsWith('.') && name !== 'node_modules').sort()
    .flatMap((name) => below(folder === '.' ? name : join(folder, name), depth - 1))
}

export interface Pruned {
  readonly before: Counts
  readonly dropped: Counts
  /** Of what is dropped. */
  readonly generations: readonly (Counts & { readonly generation: number })[]
}
export interface Counts {
  readonly exchanges: number
  readonly decisions: number
}

const countsOf = (lines: readonly TapeLine[]): Counts => {
  const exchanges = lines.filter(({ kind }) => kind === 'exchange').length
  return { exchanges, decisions: lines.length - exchanges }
}

/**
 * Drops what newer answers have taken the place of and, with scenarios, all that their replays do not use. Replays, those of
 * the scenarios at least, stay as they are. Throws what a replay throws, TD_LOCKED, TD_RUN_WRITE, TD_SCENARIO_INVALID.
 */
export async function prune(folder: string, scenarios: readonly Resolution[], world: World, { dryRun }: { readonly dryRun: boolean }): Promise<Pruned> {
  readManifest(folder)
  return alone(folder, dryRun, world, async (lines) => {
    const uses: Use[] = []
    for (const scenario of scenarios) uses.push(await useOf(scenario, folder, world))
    const union = (pick: (use: Use) => ReadonlySet<number>): ReadonlySet<number> => new Set(uses.flatMap((use) => [...pick(use)]))
    const use = scenarios.length === 0 ? null : { exchanges: union(({ exchanges }) => exchanges), decisions: union(({ decisions }) => decisions) }
    const kept = keptLines(lines, use)
    if (!dryRun && kept.length < lines.length) rewriteTape(folder, kept)
    const staying = new Set(kept)
    const gone = lines.filter((line) => !staying.has(line))
    const generations = [...new Set(gone.map(({ generation }) => generation))].sort((a, b) => a - b)
    return {
      before: countsOf(lines), dropped: countsOf(gone),
      generations: generations.map((generation) => ({ generation, ...countsOf(gone.filter((line) => line.generation === generation)) })),
    }
  })
}

/** `work` on all lines; unless it only looks, nobody else writes meanwhile, and what a kill left unfinished is set aside. */
async function alone<T>(
  folder: string, looks: boolean, { env }: World, work: (lines: readonly TapeLine[]) => Promise<T> | T,
): Promise<T> {
  if (looks) return work(readTape(folder).lines)
  const lock = takeWriter(folder)
  try {
    const file = new TapeFile(folder, redactor(env))
    file.close()
    return await work(file.lines)
  } finally {
    lock.release()
  }
}

/** What a scenario's replay takes from the recording, wherever the scenario itself looks for one. */
async function useOf({ scenario, ...rest }: Resolution, folder: string, world: World): Promise<Use> {
  const { ai, name } = scenario
  if (ai === undefined) throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: only rules decide, so that it uses nothing of a recording; leave it out`)
  const replaying = { ...scenario, ai: { ...ai, recording: { path: resolve(folder), mode: 'replay' as const } } }
  const { plan, answers } = await assemble({ scenario: replaying, ...rest }, world, 'close')
  const { interrupted } = await runSession(plan)
  if (interrupted) world.signal.throwIfAborted()
  return answers!.used()
}

export interface Migrated extends Pick<Rekeyed, 'exchanges' | 'changed' | 'merged'> {
  readonly from: number
  readonly to: number
}

/** Gives a recording's questions the keys of this version; null when they have them. Throws TD_RECORDING_BROKEN for a version that is newer, TD_LOCKED, TD_RUN_WRITE. */
export async function migrate(folder: string, world: World, { dryRun }: { readonly dryRun: boolean }): Promise<Migrated | null> {
  const manifest = manifestOfAnyVersion(folder)
  const from = manifest.keyVersion
  if (from === KEY_VERSION) return null
  if (from > KEY_VERSION) {
    throw new TapedeckError('TD_RECORDING_BROKEN', `${folder}: its keys have version ${from}, this program knows ${KEY_VERSION}; use the newer program that made it`)
  }
  return alone(folder, dryRun, world, (old) => {
    const { lines, ...told } = rekey(old)
    if (!dryRun) {
      // Lines first: whoever is stopped in between finds an old manifest, and does the same once more.
      rewriteTape(folder, lines)
      writeManifest(folder, { ...manifest, keyVersion: KEY_VERSION })
    }
    return { ...told, from, to: KEY_VERSION }
  })
}
