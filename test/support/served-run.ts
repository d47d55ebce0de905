import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { RunBook } from '../../engine/server/run-book.ts'
import { sample, until } from './cli.ts'
import { rehearseOn, stage, trailOf } from './rehearsal.ts'
import { temporaryFolder } from './run-scenario.ts'
import { madeFolder, root } from './shared.ts'

const MARKET = { symbol: 'BTC/USDT', timeframe: '1h', instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } }

/** Five days of chance: many entries, stops, targets and sales. */
export const DICE = {
  ...MARKET, name: 'dice', market: { file: sample, from: '2024-01-01', to: '2024-01-06' },
  broker: { name: 'paper', cash: 10_000 }, strategy: { name: 'random', params: { seed: 7, buy: 0.5, sell: 0.2 } },
  policy: { minConfidence: 0.6, stopLoss: 0.01, takeProfit: 0.02, positionSize: 0.5, maxDrawdown: 0.01 },
}

/** A part of what was recorded for. */
const OUTAGE = { from: '2024-03-04T00:00:00Z', to: '2024-03-11T00:00:00Z' }

/** The bundled scenario on its recorded answers. */
export const ASKED = {
  ...MARKET, name: 'asked', market: { file: sample, to: '2024-01-20' },
  broker: { name: 'paper', cash: 10_000, slippageBps: 5 }, strategy: { name: 'autonomous-scalper' },
  providers: [{ name: 'simulated', skill: 0.5, failureRate: 0.01, outage: OUTAGE }, 'technical'],
  recording: { path: join(root, 'data/demo-recording') }, consult: { when: 'signal' },
  policy: { minConfidence: 0.645, stopLoss: 0.05, takeProfit: 0.03, positionSize: 0.2 },
}

/** Rehearses a scenario, once for all files of a test run, and returns a copy of the run's directory. */
export async function rehearsed(scenario: object): Promise<string> {
  const made = join(madeFolder(process.ppid), createHash('sha256').update(JSON.stringify(scenario)).digest('hex'))
  mkdirSync(dirname(made), { recursive: true })
  if (isFirst(`${made}.claim`)) {
    const { directory } = await rehearseOn(await stage(scenario), { checkIntervalMs: 900_000 })
    cpSync(directory, join(`${made}.part`, basename(directory)), { recursive: true })
    renameSync(`${made}.part`, made)
  } else await until(() => existsSync(made), 'another file has rehearsed it', 60_000)
  const own = temporaryFolder()
  cpSync(made, own, { recursive: true })
  return join(own, readdirSync(made)[0])
}

function isFirst(claim: string): boolean {
  try {
    mkdirSync(claim)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A book that has seen a run's whole trail. */
export function bookOf(directory: string): RunBook {
  const book = new RunBook()
  for (const line of trailOf(directory)) book.see(line)
  return book
}
