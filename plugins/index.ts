import type { Plugin, PluginKind } from '../engine/ports.ts'

type Manifest = { readonly [K in PluginKind]: Readonly<Record<string, () => Promise<{ default: Plugin<K, unknown> }>>> }

/** The practice exchange: no plugin of a scenario, but found here like all that is concrete. */
export const exchange = () => import('./exchange/exchange.ts')

/** What can go wrong with it, without the exchange itself: a help text must not wait for that. */
export const exchangeFaults = () => import('./exchange/faults.ts')

/** What the doctor asks a venue. */
export const venueChecks = () => import('./binance/checks.ts')

/** Candles of the past, which anybody may read. */
export const publicData = () => import('./binance/public-data.ts')

/** The manifest: one line per plugin, imported only when it is used. */
export const plugins: Manifest = {
  market: {
    'candle-replay': () => import('./market/candle-replay.ts'),
    synthetic: () => import('./market/synthetic.ts'),
    binance: () => import('./market/binance.ts'),
  },
  broker: {
    paper: () => import('./broker/paper.ts'),
    binance: () => import('./broker/binance.ts'),
  },
  provider: {
    technical: () => import('./provider/technical.ts'),
    gemini: () => import('./provider/gemini.ts'),
    openai: () => import('./provider/openai.ts'),
    anthropic: () => import('./provider/anthropic.ts'),
    together: () => import('./provider/together.ts'),
    simulated: () => import('./provider/simulated.ts'),
  },
  notifier: {
    webhook: () => import('./notifier/webhook.ts'),
    telegram: () => import('./notifier/telegram.ts'),
  },
}
