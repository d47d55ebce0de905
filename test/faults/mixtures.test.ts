import { afterAll, describe, it } from 'vitest'
import { faultSession } from './fault-session.ts'
import { expectSound } from './invariants.ts'
import { mixture } from './mixture.ts'

const SESSIONS = process.env['TAPEDECK_FULL'] === undefined ? 5 : 110

const told = new Map<string, number>()
afterAll(() => {
  const counts = [...told].sort(([a], [b]) => (a < b ? -1 : 1)).map(([event, count]) => `  ${String(count).padStart(5)}  ${event}`)
  console.info([`${SESSIONS} sessions with mixed faults, alarms in their trails:`, ...counts].join('\n'))
})

describe('a session with mixed faults', () => {
  it.each(Array.from({ length: SESSIONS }, (_, index) => index + 1))('is sound: seed %i', async (seed) => {
    const run = await faultSession(mixture(seed))
    for (const { type, event } of run.lines) if (type === 'alarm') told.set(String(event), (told.get(String(event)) ?? 0) + 1)
    await expectSound(run)
  })
})
