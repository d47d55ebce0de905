import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrailLine } from '../../engine/audit/reader.ts'
import { Workspace } from '../support/cli.ts'
import { expectSameTrades, expectWhole } from './invariants.ts'
import { killPlan, type KillPoint } from './kill-plan.ts'
import { killedRun } from './killed-run.ts'
import { SETUPS, type Setup } from './setups.ts'

const THOROUGH = process.env['TAPEDECK_FULL'] === undefined ? null : 220
/** Two processors are what the suite is measured for. */
const AT_ONCE = 2
const MINUTES = 60_000

interface Undisturbed {
  readonly moments: readonly string[]
  readonly lines: readonly TrailLine[]
}

const undisturbed = new Map<Setup, Undisturbed>()
let plan: readonly KillPoint[] = []
/** How often a process was killed at each moment. */
const hits = new Map<string, number>()

beforeAll(async () => {
  const found = new Map<Setup, Undisturbed>()
  await twoByTwo(SETUPS, async (setup) => { found.set(setup, await play(setup, [])) })
  for (const setup of SETUPS) undisturbed.set(setup, found.get(setup)!)
  plan = killPlan(new Map([...undisturbed].map(([setup, { moments }]) => [setup, moments])), THOROUGH)
}, 5 * MINUTES)

afterAll(() => {
  const rows = [...hits].sort(([a], [b]) => (a < b ? -1 : 1)).map(([moment, count]) => `  ${String(count).padStart(3)}  ${moment}`)
  const deaths = [...hits.values()].reduce((total, count) => total + count, 0)
  console.info([`${plan.length} kill points, ${deaths} processes killed, at:`, ...rows].join('\n'))
})

describe('a process that is killed', () => {
  it.each(SETUPS.map((setup) => [setup.name, setup] as const))('leaves nothing undone, twice or unsaid: %s', async (_name, setup) => {
    const points = plan.filter((point) => point.setup === setup)
    const failed: string[] = []
    const reached = new Set<string>()
    await twoByTwo(points, async (point) => {
      const { kills, moment } = point
      try {
        const { killedAt } = await play(setup, kills)
        for (const one of killedAt) hits.set(one, (hits.get(one) ?? 0) + 1)
        expect(killedAt[0]).toBe(moment)
        reached.add(moment)
      } catch (error) {
        failed.push(`killed ${moment} (${kills.join(', then ')}): ${error instanceof Error ? error.stack : String(error)}`)
      }
    })
    expect(failed.join('\n\n')).toBe('')
    expect([...reached]).toEqual(expect.arrayContaining([...setup.moments]))
  }, 20 * MINUTES)
})

/** Plays a setup to its end, with deaths on the way, and checks it. */
async function play(setup: Setup, kills: readonly number[]): Promise<Undisturbed & { readonly killedAt: readonly string[] }> {
  const here = new Workspace()
  try {
    const run = await killedRun(setup, here, kills)
    const lines = await expectWhole(run)
    if (undisturbed.size > 0) expectSameTrades(run, undisturbed.get(setup)!.lines, lines)
    return { moments: run.lives.at(-1)!.moments, lines, killedAt: run.lives.flatMap(({ killedAt }) => (killedAt === null ? [] : [killedAt])) }
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
