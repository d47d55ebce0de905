import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrailLine } from '../../engine/audit/reader.ts'
import { Workspace } from '../support/cli.ts'
import { expectSameTrades, expectWhole } from './invariants.ts'
import { killPlan, type KillPoint } from './kill-plan.ts'
import { killedRun } from './killed-run.ts'
import { slice, whole } from '../support/slice.ts'
import { SETUPS as ALL, type Setup } from './setups.ts'

/** Kill points in all; null: only those of the slice. */
const THOROUGH = whole ? 204 : null
/** Moments of each setup that the short suite kills at. */
const SLICE = 1
/** Two processors are what the suite is measured for. */
const AT_ONCE = 2
const MINUTES = 60_000
const SETUPS = slice(ALL, 4).map((setup) => ({ ...setup, moments: slice(setup.moments, SLICE) }))

interface Played {
  /** Moments of the last process, where it came to its end. */
  readonly moments: readonly string[]
  readonly lines: readonly TrailLine[]
  readonly killedAt: readonly string[]
}

const undisturbed = new Map<Setup, Played>()
let plan: readonly KillPoint[] = []
/** How often a process was killed at each moment. */
const hits = new Map<string, number>()

beforeAll(async () => {
  const found = new Map<Setup, Played>()
  await twoByTwo(SETUPS, async (setup) => { found.set(setup, await play(setup, [])) })
  // The plan depends on their order, which must not depend on which was done first.
  for (const setup of SETUPS) undisturbed.set(setup, found.get(setup)!)
  plan = killPlan(new Map([...undisturbed].map(([setup, { moments }]) => [setup, moments])), THOROUGH)
}, 5 * MINUTES)

afterAll(() => {
  const deaths = [...hits.values()].reduce((total, count) => total + count, 0)
  const rows = [...hits].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([moment, count]) => `${String(count).padStart(5)}  ${moment}`)
  console.info([`${plan.length} kill points, ${deaths} processes killed:`, ...rows].join('\n'))
})

const cases = SETUPS.map((setup) => [setup.name, setup] as const)

describe('a process that is killed', () => {
  it.each(cases)('leaves nothing undone, twice or unsaid: %s', async (_name, setup) => {
    const failed: string[] = []
    const reached = new Set<string>()
    await twoByTwo(plan.filter((point) => point.setup === setup), async ({ kills, moment }) => {
      try {
        const { killedAt } = await play(setup, kills)
        for (const one of killedAt) hits.set(one, (hits.get(one) ?? 0) + 1)
        expect(killedAt[0]).toBe(moment)
        reached.add(moment)
      } catch (error) {
        const why = error instanceof Error ? error.stack : String(error)
        failed.push(`killed ${moment} (${kills.join(', then ')}): ${why}`)
      }
    })
    expect(failed.join('\n\n')).toBe('')
    expect([...reached]).toEqual(expect.arrayContaining([...setup.moments]))
  }, 20 * MINUTES)
})

/** Plays a setup to its end, with deaths on the way, and checks all of it. */
async function play(setup: Setup, kills: readonly number[]): Promise<Played> {
  const here = new Workspace()
  try {
    const run = await killedRun(setup, here, kills)
    const lines = await expectWhole(run)
    const model = undisturbed.get(setup)
    if (model !== undefined) expectSameTrades(run, model.lines, lines)
    const killedAt = run.lives.flatMap((life) => (life.killedAt === null ? [] : [life.killedAt]))
    return { moments: run.lives.at(-1)!.moments, lines, killedAt }
  } finally {
    here.remove()
  }
}

async function twoByTwo<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }))
}
