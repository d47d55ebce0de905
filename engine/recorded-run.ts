import { join } from 'node:path'
import { z } from 'zod'
import { checkShapes, readTrail, type TrailLine } from './audit/reader.ts'
import { recallResolution, type Resolution, type ResolvedScenario } from './config/resolve.ts'
import { registry } from './assemble.ts'
import { messageOf, TapedeckError } from './errors.ts'
import type { LaneTerms } from './assemble.ts'
import { checkFormat, termsOf } from './live.ts'
import type { Plugin } from './ports.ts'
import { readRun, type RunRecord } from './session/live-directory.ts'

/** A run of the live path, read back from its directory. */
export interface RecordedRun {
  readonly path: string
  readonly record: RunRecord
  readonly lines: readonly TrailLine[]
  readonly terms: LaneTerms
  /** The scenario as it was resolved then, with today's plugins and strategy. */
  readonly resolution: Resolution
}

/** Reads a run for replay or parity. Throws TD_RUN_MISSING, TD_TRAIL_BROKEN, and TD_USAGE for a backtest's. */
export async function readRecordedRun(path: string): Promise<RecordedRun> {
  const record = readRun(path)
  checkFormat(path, record)
  const trail = join(path, 'audit.jsonl')
  const { lines } = readTrail(trail)
  const scenario = record['scenario'] as ResolvedScenario
  checkShapes(trail, lines, scenario.symbols)
  const terms = termsOf(lines)
  if (terms === null) {
    throw new TapedeckError('TD_USAGE', lines.some(({ fields }) => fields.type === 'decision')
      ? `${path}: a backtest, which records nothing of its broker; \`tapedeck rehearse\` makes a run that can be held against it`
      : `${path}: the run ended before it had reached its venue: there is nothing in it yet`)
  }
  const folder = typeof record['folder'] === 'string' ? record['folder'] : path
  const resolution = await recallResolution(scenario, folder, registry)
  return { path, record, lines, terms, resolution }
}

export interface RecordedBroker {
  readonly plugin: Plugin<'broker', unknown>
  readonly options: unknown
}

const brokerSchema = z.object({ name: z.string(), options: z.unknown() })

/**
 * The broker that a run of the live path trades with, as its run.json tells: the scenario may name another one, whose
 * assumptions it took over. Throws TD_TRAIL_BROKEN.
 */
export async function recordedBroker({ run, broker }: RunRecord): Promise<RecordedBroker> {
  try {
    const { name, options } = brokerSchema.parse(broker)
    const plugin: Plugin<'broker', unknown> = await registry.plugin('broker', name)
    return { plugin, options: plugin.options.parse(options) }
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN',
      `${String(run)}: its run.json does not tell the broker that it trades with (${messageOf(error).replaceAll(/\s+/g, ' ')}); `
      + 'restore the file', { cause: error })
  }
}
