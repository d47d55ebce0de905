import { hashUniform } from '../../engine/core/random.ts'
import type { Setup } from './setups.ts'

export interface KillPoint {
  readonly setup: Setup
  /** What the process is expected to be at, as a run that nobody kills went by. */
  readonly moment: string
  /** Numbers of the moments at which one process after the other is killed, from 1. */
  readonly kills: readonly number[]
}

const SEED = 20
/** Recoveries that are killed as well, as a share. */
const KILLED_AGAIN = 0.2
/** A recovery is over after about so many moments. */
const RECOVERY = 120

/**
 * Kill points for each setup, from the moments that its undisturbed run went through. Always those that the setup
 * names; with `thorough` everything that any setup goes through, once, and seeded ones until there are `thorough` in
 * all.
 */
export function killPlan(
  undisturbed: ReadonlyMap<Setup, readonly string[]>, thorough: number | null,
): readonly KillPoint[] {
  const points: KillPoint[] = []
  let draws = 0
  const draw = (count: number): number => Math.floor(hashUniform(SEED, ++draws, 0) * count)
  const add = (setup: Setup, index: number): void => {
    const again = hashUniform(SEED, ++draws, 0) < KILLED_AGAIN ? [1 + draw(RECOVERY)] : []
    points.push({ setup, moment: undisturbed.get(setup)![index], kills: [index + 1, ...again] })
  }
  const addNamed = (setup: Setup, name: string): void => {
    const places = undisturbed.get(setup)!.flatMap((moment, index) => (moment === name ? [index] : []))
    if (places.length === 0) throw new Error(`a run of ${setup.name} does not come by "${name}" any more`)
    add(setup, places[draw(places.length)])
  }
  for (const setup of undisturbed.keys()) for (const name of setup.moments) addNamed(setup, name)
  if (thorough === null) return points
  const setups = [...undisturbed.keys()]
  const names = new Set([...undisturbed.values()].flat())
  for (const { moment } of points) names.delete(moment)
  for (const name of names) {
    const able = setups.filter((setup) => undisturbed.get(setup)!.includes(name))
    addNamed(able[draw(able.length)], name)
  }
  while (points.length < thorough) {
    const setup = setups[draw(setups.length)]
    add(setup, draw(undisturbed.get(setup)!.length))
  }
  return points
}
