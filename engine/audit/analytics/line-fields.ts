/** What a field of an audit line holds. `json`: kept as text, since its shape differs from line to line; `inner` is checked where it is an object. */
export type Shape =
  | 'text' | 'real' | 'whole' | 'truth' | 'time'
  | { readonly json: Readonly<Record<string, Shape>> }
  | { readonly fields: Readonly<Record<string, Shape>> }
  | { readonly list: Shape }
  | { readonly truths: true }

const reply: Shape = { fields: {
  answer: { fields: { action: 'text', confidence: 'real', reasoning: 'text', model: 'text' } },
  failure: { fields: { kind: 'text', message: 'text', status: 'whole' } },
  latencyMs: 'real', attempts: 'whole',
  usage: { fields: { inputTokens: 'real', outputTokens: 'real', costUsd: 'real' } },
} }

const said: Shape = { fields: { action: 'text', confidence: 'real', pTargetFirst: 'real', reasoning: 'text' } }

/** Every field of an audit line that a table is made of: how DuckDB reads it, and what a line has to look like to be counted as whole. */
export const LINE_FIELDS = {
  type: 'text', seq: 'whole', timestamp: 'time', event: 'text', symbol: 'text', timeframe: 'text',
  market_data: { json: { price: 'real', volume: 'real', trend: 'text' } },
  provider: 'text', model: 'text',
  fallbacks: { list: { fields: { provider: 'text', error: 'text' } } },
  phases: { fields: {
    initial: said, refinement: { list: said },
    risk: { fields: { validated: 'truth', order: 'text', checks: { truths: true } } },
    confidence: { fields: { required: 'real', verified: 'truth' } },
  } },
  action: 'text', confidence: 'real', reasoning: 'text', status: 'text', reason: 'text',
  order: { json: { id: 'text', side: 'text', spend: 'real', quantity: 'real', reason: 'text' } },
  usage: { fields: { input_tokens: 'real', output_tokens: 'real', cost_usd: 'real' } },
  latency_ms: 'real',
  purpose: 'text', id: 'text', state: 'text', from: 'text', to: 'text',
  side: 'text', price: 'real', quantity: 'real', notional: 'real', fee_base: 'real', fee_quote: 'real', slippage: 'real',
  liquidity: 'text', ambiguous: 'truth', stop: 'real', target: 'real',
  entryTime: 'time', entryPrice: 'real', exitTime: 'time', exitPrice: 'real', fees: 'real', pnl: 'real', netReturn: 'real',
  candles: 'whole',
  service: 'text', until: 'time',
  steps: { list: { fields: {
    provider: 'text', skipped: 'text', replies: { list: reply }, failure: { fields: { kind: 'text', message: 'text', status: 'whole' } },
  } } },
} as const satisfies Readonly<Record<string, Shape>>

export type LineField = keyof typeof LINE_FIELDS

const PLAIN = { text: 'VARCHAR', real: 'DOUBLE', whole: 'BIGINT', truth: 'BOOLEAN', time: 'TIMESTAMP' } as const

/** The DuckDB type that a field is read as. */
export function duckType(shape: Shape): string {
  if (typeof shape === 'string') return PLAIN[shape]
  if ('json' in shape) return 'JSON'
  if ('truths' in shape) return 'MAP(VARCHAR, BOOLEAN)'
  if ('list' in shape) return `${duckType(shape.list)}[]`
  return `STRUCT(${Object.entries(shape.fields).map(([name, inner]) => `"${name}" ${duckType(inner)}`).join(', ')})`
}

/** What is wrong with those of a line's fields that are wanted, in words; null where DuckDB can read them as they are. */
export function misfit(fields: Readonly<Record<string, unknown>>, wanted: readonly LineField[]): string | null {
  return first(wanted, (name) => misfitOf(LINE_FIELDS[name], fields[name], name))
}

function misfitOf(shape: Shape, value: unknown, at: string): string | null {
  if (value === null || value === undefined) return null
  if (typeof shape === 'string') return fits(shape, value) ? null : `its ${at} is not ${NAMES[shape]}`
  if ('list' in shape) {
    if (!Array.isArray(value)) return `its ${at} is not a list`
    return first(value.entries(), ([index, item]) => misfitOf(shape.list, item, `${at}[${index}]`))
  }
  if (typeof value !== 'object' || Array.isArray(value)) return 'json' in shape ? null : `its ${at} is not an object`
  const object = value as Readonly<Record<string, unknown>>
  if ('truths' in shape) return first(Object.entries(object), ([name, item]) => misfitOf('truth', item, `${at}.${name}`))
  const inner = 'json' in shape ? shape.json : shape.fields
  return first(Object.entries(inner), ([name, one]) => misfitOf(one, object[name], `${at}.${name}`))
}

const NAMES = { text: 'a text', real: 'a number', whole: 'a whole number', truth: 'true or false', time: 'a time' } as const

function fits(shape: keyof typeof NAMES, value: unknown): boolean {
  // Texts take whatever there is: alarms of plugins name what they like as they like.
  if (shape === 'text') return true
  if (shape === 'truth') return typeof value === 'boolean'
  if (shape === 'time') return typeof value === 'string' && ISO.test(value) && Number.isFinite(Date.parse(value))
  return typeof value === 'number' && (shape === 'real' || Number.isSafeInteger(value))
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

function first<T>(items: Iterable<T>, look: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = look(item)
    if (found !== null) return found
  }
  return null
}
