import { requestKey } from '../../engine/recording/key.ts'
import { rewriteTape, writeManifest } from '../../engine/recording/tape-file.ts'
import type { DecisionLine, ExchangeLine, Manifest, TapeLine } from '../../engine/recording/tape-lines.ts'
import { mkdirSync } from 'node:fs'

/** A recorded exchange about `text`; whatever else it is about is given. */
export function exchange(seq: number, text: string, own: Partial<ExchangeLine> & { readonly model?: string } = {}): ExchangeLine {
  const { model = 'm-1', ...rest } = own
  const request = {
    provider: 'fake', model, endpoint: '/ask', system: 'be brief', messages: [{ role: 'user' as const, text }],
    schema: { type: 'object' }, sampling: { temperature: 0 },
  }
  return {
    kind: 'exchange', seq, key: requestKey(rest.request ?? request, rest.sample ?? 0), sample: 0, generation: 1, request,
    answer: { action: 'BUY', confidence: 0.7, reasoning: 'up' }, failure: null,
    usage: { inputTokens: 100, outputTokens: 10, costUsd: 0.01 }, latencyMs: 500, attempts: 1, prices: '2026-01-01', ...rest,
  }
}

export const FAILED = {
  answer: null,
  failure: { kind: 'server', message: 'answered 503', status: 503, retryAfterMs: null, headers: {}, body: null, answer: null },
} as const

/** A decision of hour `hour` that these exchanges told. */
export const decision = (seq: number, hour: number, exchanges: readonly number[], own: Partial<DecisionLine> = {}): DecisionLine => ({
  kind: 'decision', seq, symbol: 'BTC/USDT', time: Date.UTC(2024, 0, 1, hour), chain: 'c', sample: 0, generation: 1,
  steps: [{ provider: 'fake', skipped: null, exchanges: [...exchanges] }], ...own,
})

/** Writes a recording into `folder`. */
export function putRecording(folder: string, lines: readonly TapeLine[], own: Partial<Manifest> = {}): string {
  mkdirSync(folder, { recursive: true })
  rewriteTape(folder, lines)
  const generation = lines.reduce((newest, line) => Math.max(newest, line.generation), 1)
  writeManifest(folder, { format: 1, keyVersion: 1, createdBy: 'a test', generation, complete: true, ...own })
  return folder
}
