import { join } from 'node:path'
import { RunBook } from '../../engine/server/run-book.ts'
import { sample } from './cli.ts'
import { rehearseOn, stage, trailOf } from './rehearsal.ts'
import { root } from './shared.ts'

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

/** Rehearses a scenario and returns the run's directory. */
export async function rehearsed(scenario: object): Promise<string> {
  return (await rehearseOn(await stage(scenario), { checkIntervalMs: 900_000 })).directory
}

/** A book that has seen a run's whole trail. */
export function bookOf(directory: string): RunBook {
  const book = new RunBook()
  for (const line of trailOf(directory)) book.see(line)
  return book
}
