import { statSync } from 'node:fs'
import type { EpochMs } from '../core/time.ts'
import { readManifest, readTape, tapePath } from './tape-file.ts'
import type { ExchangeLine, Manifest, TapeLine } from './tape-lines.ts'

/** Who answered, as far as the recording tells. */
export interface AskedModel {
  readonly provider: string
  readonly model: string
  /** What stood behind the model's name, by the service's own account. */
  readonly versions: readonly string[]
  readonly exchanges: number
  readonly failed: number
}

/** What a recording holds. */
export interface Survey {
  readonly folder: string
  readonly manifest: Manifest
  readonly exchanges: number
  readonly decisions: number
  readonly models: readonly AskedModel[]
  readonly symbols: readonly string[]
  /** First and last decision; null where there is none. */
  readonly from: EpochMs | null
  readonly to: EpochMs | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
  readonly bytes: number
  readonly generations: readonly { readonly generation: number; readonly exchanges: number; readonly decisions: number }[]
  /** The last line was left unfinished. */
  readonly torn: boolean
}

/** Throws TD_RECORDING_MISSING and TD_RECORDING_BROKEN. */
export function surveyOf(folder: string): Survey {
  const manifest = readManifest(folder)
  const { lines, torn } = readTape(folder)
  const exchanges = lines.filter((line) => line.kind === 'exchange')
  const decisions = lines.filter((line) => line.kind === 'decision')
  const times = decisions.map(({ time }) => time)
  const least = (a: EpochMs | null, b: EpochMs): EpochMs => Math.min(a ?? b, b)
  const most = (a: EpochMs | null, b: EpochMs): EpochMs => Math.max(a ?? b, b)
  const sum = (pick: (usage: ExchangeLine['usage']) => number): number => exchanges.reduce((total, { usage }) => total + pick(usage), 0)
  return {
    folder, manifest, exchanges: exchanges.length, decisions: decisions.length, models: modelsOf(exchanges),
    symbols: [...new Set(decisions.map(({ symbol }) => symbol))].sort(), from: times.reduce(least, null), to: times.reduce(most, null),
    inputTokens: sum(({ inputTokens }) => inputTokens), outputTokens: sum(({ outputTokens }) => outputTokens),
    costUsd: sum(({ costUsd }) => costUsd), bytes: statSync(tapePath(folder), { throwIfNoEntry: false })?.size ?? 0,
    generations: generationsOf(lines), torn: torn !== null,
  }
}

function modelsOf(exchanges: readonly ExchangeLine[]): AskedModel[] {
  const models = new Map<string, { provider: string; model: string; versions: Set<string>; exchanges: number; failed: number }>()
  for (const { request: { provider, model }, answer } of exchanges) {
    const name = `${provider} ${model}`
    const one = models.get(name) ?? { provider, model, versions: new Set<string>(), exchanges: 0, failed: 0 }
    models.set(name, one)
    one.exchanges++
    if (answer === null) one.failed++
    else if (answer.modelVersion !== undefined) one.versions.add(answer.modelVersion)
  }
  return [...models.values()].map(({ versions, ...one }) => ({ ...one, versions: [...versions].sort() }))
}

function generationsOf(lines: readonly TapeLine[]): Survey['generations'] {
  const numbers = [...new Set(lines.map(({ generation }) => generation))].sort((a, b) => a - b)
  return numbers.map((generation) => {
    const own = lines.filter((line) => line.generation === generation)
    const exchanges = own.filter(({ kind }) => kind === 'exchange').length
    return { generation, exchanges, decisions: own.length - exchanges }
  })
}
