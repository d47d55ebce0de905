import type { PastLine } from '../ports.ts'

/** What a line of the trail says to whoever watches the run's log; null for what only a replay wants to know. */
export interface Saying {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Decisions begin with 🤖; lines of orders contain EXECUTE or PLACED. */
  readonly text: string
}

const number = (value: unknown): string => (typeof value === 'number' ? String(Number(value.toPrecision(8))) : '–')
const share = (value: unknown): string => (typeof value === 'number' ? `${(value * 100).toFixed(2)} %` : '–')

/** The saying of a parsed line. */
export function sayingOf(line: PastLine): Saying | null {
  switch (line.type) {
    case 'decision': return decided(line)
    case 'intent': return intended(line)
    case 'order': return ordered(line)
    case 'fill': return filled(line)
    case 'trade': return traded(line)
    case 'risk': return { level: 'warn', text: `risk: ${String(line['state'])}, because of ${String(line['rule'])}` }
    case 'alarm': return { level: ALARMS_THAT_TELL_GOOD.has(String(line['event'])) ? 'info' : 'warn', text: alarm(line) }
    case 'operator': return { level: 'warn', text: `a person says ${String(line['act'])}${ofSymbol(line)}: ${String(line['reason'])}` }
    case 'provider': return line['event'] === 'state' ? provider(line) : null
    case 'session': return session(line)
    default: return null
  }
}

const ALARMS_THAT_TELL_GOOD = new Set(['market-reachable', 'market-recovered'])
const OWN = new Set(['type', 'seq', 'run', 'timestamp', 'event', 'symbol', 'prev'])

const ofSymbol = ({ symbol }: PastLine): string => (typeof symbol === 'string' ? ` ${symbol}` : '')

function decided(line: PastLine): Saying {
  const { symbol, action, confidence, status, reason, provider, reasoning, fallbacks } = line
  // A missing key is said at the start and never changes.
  const others = ((fallbacks as readonly { readonly provider: string; readonly error: string }[] | undefined) ?? []).filter(({ error }) => error !== 'no-key')
  const because = typeof reason === 'string' && reason !== 'hold' ? ` (${reason})` : ''
  const instead = others.length === 0 ? '' : ` instead of ${others.map((one) => `${one.provider}: ${one.error}`).join('; ')}`
  const by = typeof provider === 'string' ? ` by ${provider}` : ''
  return {
    level: status === 'FAILED' ? 'error' : 'info',
    text: `🤖 ${String(symbol)} ${String(action)} ${number(confidence)} ${String(status)}${because}${by}${instead}: ${String(reasoning)}`,
  }
}

function intended({ symbol, order, purpose, quantity, stop, target, reason: why }: PastLine): Saying | null {
  if (purpose === 'protect') return { level: 'info', text: `PLACED protection of ${number(quantity)} ${String(symbol)}: stop ${number(stop)}, target ${number(target)}` }
  if (purpose === 'sale') return { level: 'info', text: `PLACED sale of ${number(quantity)} ${String(symbol)} (${String(why)})` }
  if (order === undefined || typeof order === 'string') return null
  const { side, spend, quantity: sold, reason } = order as Readonly<Record<string, unknown>>
  return {
    level: 'info',
    text: side === 'buy' ? `EXECUTE buy ${String(symbol)} for ${number(spend)}` : `EXECUTE sell ${number(sold)} ${String(symbol)} (${String(reason)})`,
  }
}

function ordered({ symbol, id, state, reason, event, from, to }: PastLine): Saying | null {
  if (event === 'stop-raised') return { level: 'info', text: `stop of ${String(symbol)} raised from ${number(from)} to ${number(to)}` }
  if (state === 'accepted') return { level: 'info', text: `PLACED order ${String(id)}` }
  return { level: 'error', text: `order ${typeof id === 'string' ? id : ''} of ${String(symbol)} ${String(state)}: ${String(reason)}` }
}

const filled = ({ symbol, side, price, quantity, reason }: PastLine): Saying => ({
  level: 'info', text: `EXECUTED ${String(side)} ${number(quantity)} ${String(symbol)} at ${number(price)}${typeof reason === 'string' ? ` (${reason})` : ''}`,
})

const traded = ({ symbol, pnl, netReturn, reason }: PastLine): Saying => ({
  level: 'info', text: `trade of ${String(symbol)} closed by ${String(reason)}: ${number(pnl)} (${share(netReturn)})`,
})

function alarm(line: PastLine): string {
  const facts = Object.entries(line).filter(([name]) => !OWN.has(name)).map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `alarm: ${String(line['event'])}${ofSymbol(line)}${facts.length === 0 ? '' : `, ${facts.join(', ')}`}`
}

const provider = ({ service, state, reason, until }: PastLine): Saying => ({
  level: state === 'ACTIVE' ? 'info' : 'warn',
  text: `🤖 ${String(service)} is ${String(state)}${typeof reason === 'string' ? `: ${reason}` : ''}${typeof until === 'string' ? ` until ${until}` : ''}`,
})

function session({ event, symbol, open_positions: open }: PastLine): Saying | null {
  switch (event) {
    case 'restarted': return { level: 'info', text: '🤖 autonomous loop goes on from its trail' }
    case 'warmup': return { level: 'info', text: `🤖 ${String(symbol)}: indicators are warm` }
    case 'stopped': case 'finished': return { level: 'info', text: `🤖 autonomous loop ${event}, ${String(open)} open positions` }
    default: return null
  }
}
