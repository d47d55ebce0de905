import type { PastLine } from '../ports.ts'

/** A decision as lists show it. `id` is the line's number in the trail. */
export interface DecisionRow {
  readonly id: number
  readonly timestamp: string
  readonly symbol: string
  readonly action: string
  readonly confidence: number | null
  /** The confidence that the order needed; null where none was proposed. */
  readonly required: number | null
  readonly status: string
  readonly reason: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly fallbacks: readonly { readonly provider: string; readonly error: string }[]
  readonly reasoning: string
  readonly latency_ms: number
  readonly cost_usd: number
  readonly phases: {
    readonly initial: boolean
    /** Turns. */
    readonly refinement: number
    readonly risk: boolean | null
    readonly confidence: boolean | null
  }
}

/** A decision as `GET /api/autonomous-history` shows it. */
export interface HistoryRow {
  readonly timestamp: string
  readonly market_data: Readonly<Record<string, unknown>>
  readonly reasoning: string
  readonly confidence: number | null
  readonly action: string
  readonly status: string
}

export interface TradeRow {
  readonly symbol: string
  readonly entry_time: string
  readonly entry_price: number
  readonly exit_time: string
  readonly exit_price: number
  readonly quantity: number
  readonly reason: string
  readonly fees: number
  readonly pnl: number
  readonly net_return: number
  readonly stop: number | null
  readonly target: number | null
  readonly candles: number
}

export interface OrderRow {
  readonly id: string
  readonly symbol: string
  readonly side: 'buy' | 'sell'
  /** `sent`, what the venue made of it, `filled` in the end. */
  readonly state: string
  readonly reason: string | null
  readonly time: string
  readonly quantity: number | null
  readonly spend: number | null
  readonly price: number | null
}

export interface AlarmRow {
  readonly id: number
  readonly time: string | null
  readonly event: string
  readonly symbol: string | null
  readonly text: string
}

type Phases = {
  readonly refinement: readonly unknown[]
  readonly risk: { readonly validated: boolean } | null
  readonly confidence: { readonly required: number; readonly verified: boolean } | null
} | null

export const seqOf = (line: PastLine): number => line['seq'] as number

export function decisionRow(line: PastLine): DecisionRow {
  const phases = line['phases'] as Phases
  const usage = line['usage'] as { readonly cost_usd: number } | null
  return {
    id: seqOf(line),
    timestamp: line.timestamp ?? '',
    symbol: line['symbol'] as string,
    action: line['action'] as string,
    confidence: line['confidence'] as number | null,
    required: phases?.confidence?.required ?? null,
    status: line['status'] as string,
    reason: line['reason'] as string | null,
    provider: line['provider'] as string | null,
    model: line['model'] as string | null,
    fallbacks: line['fallbacks'] as DecisionRow['fallbacks'],
    reasoning: line['reasoning'] as string,
    latency_ms: line['latency_ms'] as number,
    cost_usd: usage?.cost_usd ?? 0,
    phases: {
      initial: phases !== null,
      refinement: phases?.refinement.length ?? 0,
      risk: phases?.risk?.validated ?? null,
      confidence: phases?.confidence?.verified ?? null,
    },
  }
}

export const historyRow = (line: PastLine): HistoryRow => ({
  timestamp: line.timestamp ?? '',
  market_data: line['market_data'] as HistoryRow['market_data'],
  reasoning: line['reasoning'] as string,
  confidence: line['confidence'] as number | null,
  action: line['action'] as string,
  status: line['status'] as string,
})

export const tradeRow = (line: PastLine): TradeRow => ({
  symbol: line['symbol'] as string,
  entry_time: line['entryTime'] as string,
  entry_price: line['entryPrice'] as number,
  exit_time: line['exitTime'] as string,
  exit_price: line['exitPrice'] as number,
  quantity: line['quantity'] as number,
  reason: line['reason'] as string,
  fees: line['fees'] as number,
  pnl: line['pnl'] as number,
  net_return: line['netReturn'] as number,
  stop: line['stop'] as number | null,
  target: line['target'] as number | null,
  candles: line['candles'] as number,
})

const HEAD = new Set(['type', 'seq', 'run', 'timestamp', 'prev', 'event', 'symbol'])

export function alarmRow(line: PastLine): AlarmRow {
  const facts = Object.entries(line).filter(([name]) => !HEAD.has(name))
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const event = String(line['event'])
  const symbol = typeof line['symbol'] === 'string' ? line['symbol'] : null
  const text = [event.replaceAll('-', ' '), ...facts].join('; ')
  return { id: seqOf(line), time: line.timestamp, event, symbol, text: withoutPaths(text) }
}

/** Absolute paths say where things are on this machine, which is nobody's business: only the last name is kept. */
export const withoutPaths = (text: string): string =>
  text.replaceAll(/(?:file:\/\/|(?<![\w/.<]))(?:\/[^\s/:;,'"`()<>]+)+\/([^\s/:;,'"`()<>]+)/g, '$1')

/** `YYYY-MM-DD HH:MM:SS` of an ISO time in UTC. */
export const plainTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ')
