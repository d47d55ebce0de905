import { describe, expect, it } from 'vitest'
import type { FailureKind } from '../../../engine/core/provider-failure.ts'
import { disabled, enabled, failed, NEW_SERVICE, refusal, succeeded } from '../../../engine/pipeline/provider-health.ts'

const NOW = Date.UTC(2024, 5, 1, 12)
const USED = { latencyMs: 800, inputTokens: 300, outputTokens: 40, costUsd: 0.01 }
const failure = (kind: FailureKind) => ({ kind, message: kind, retryAfterMs: null, resetAtMs: null })

describe('a service that a person has disabled', () => {
  const shut = disabled(NEW_SERVICE, NOW, 'too dear')

  it('stays so whatever comes of questions that were under way', () => {
    const later = NOW + 5_000
    for (const after of [succeeded(shut, later, USED), failed(shut, later, failure('server')), failed(shut, later, failure('refused'))]) {
      expect(after).toMatchObject({ state: 'DISABLED', reason: 'too dear', since: NOW, until: null, lastUsed: later })
      expect(refusal(after, NOW + 365 * 86_400_000)).toBe('disabled')
    }
    expect(succeeded(shut, later, USED)).toMatchObject({ successes: 1, latencies: [800], costUsd: 0.01, dayUsd: 0.01 })
    expect(failed(shut, later, failure('server')).errors).toEqual({ server: 1 })
  })

  it('is asked again when a person enables it', () => {
    const again = enabled(shut, NOW + 1)
    expect(again).toMatchObject({ state: 'ACTIVE', reason: null, until: null })
    expect(refusal(again, NOW + 1)).toBeNull()
  })
})
