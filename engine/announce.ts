import { makeDeps, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { RealClock } from './real-clock.ts'
import { redactor } from './recording/redaction.ts'
import { Announcer } from './session/announcer.ts'

/**
 * Whoever the scenario names to be told of run `run`; null where it names nobody. Throws TD_SETTING_INVALID when one of
 * them cannot be reached as the environment says.
 */
export async function openAnnouncer({ scenario, plugins: { notifiers } }: Resolution, world: World, run: string): Promise<Announcer | null> {
  if (notifiers.length === 0) return null
  const clock = world.services?.clock ?? new RealClock()
  const told = await Promise.all(notifiers.map(async (plugin, index) => ({
    name: plugin.name,
    notifier: await plugin.create(scenario.notify?.[index].options, makeDeps(world, clock, scenario.seed, plugin.env), undefined),
  })))
  return new Announcer(told, { run, clock, log: world.log, redact: redactor(world.env) })
}
