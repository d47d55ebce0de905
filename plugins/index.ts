import type { Plugin, PluginKind } from '../engine/ports.ts'

type Manifest = { readonly [K in PluginKind]: Readonly<Record<string, () => Promise<{ default: Plugin<K, unknown> }>>> }

/** The manifest: one line per plugin, imported only when it is used. */
export const plugins: Manifest = {
  market: {
    'candle-replay': () => import('./market/candle-replay.ts'),
    synthetic: () => import('./market/synthetic.ts'),
  },
  broker: {
    paper: () => import('./broker/paper.ts'),
  },
  provider: {
    technical: () => import('./provider/technical.ts'),
  },
}
