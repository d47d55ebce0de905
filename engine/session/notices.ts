import type { Notice, NoticeKind } from '../core/notice.ts'
import { DAY_MS, isoDay, type EpochMs } from '../core/time.ts'
import type { PastLine } from '../ports.ts'

export interface NoticeContext {
  readonly run: string
  /** For lines that have no time of their own. */
  readonly now: EpochMs
}

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const record = (value: unknown): Readonly<Record<string, unknown>> =>
  (typeof value === 'object' && value !== null ? value as Record<string, unknown> : {})
const signed = (value: number): string => `${value > 0 ? '+' : ''}${shown(value)}`
const shown = (value: number | null): string => (value === null ? 'unknown' : String(Number(value.toPrecision(8))))
const percent = (fraction: number): string => `${signed(Math.round(fraction * 10_000) / 100)} %`
const MAX_REASONING = 300

export const timeOf = ({ timestamp }: PastLine): EpochMs | null => {
  const time = timestamp === null ? NaN : Date.parse(timestamp)
  return Number.isNaN(time) ? null : time
}

/** What somebody is told of one line of a trail, or null. Facts are the line's own numbers. */
export function noticeOf(line: PastLine, { run, now }: NoticeContext): Notice | null {
  const symbol = text(line['symbol'])
  const notice = (kind: NoticeKind, words: string, facts: Notice['facts'] = {}): Notice =>
    ({ kind, time: timeOf(line) ?? now, run, symbol, text: words, facts })
  switch (line.type) {
    case 'session': return sessionNotice(line, notice)
    case 'decision': return entryNotice(line, notice)
    case 'trade': return exitNotice(line, notice)
    case 'risk': return riskNotice(line, notice)
    case 'alarm': {
      if (line['event'] !== 'naked') return null
      const [held, why] = [number(line['held']), text(line['why'])]
      return notice('naked-position', `${symbol}: ${shown(held)} held WITHOUT stop at the exchange (${why ?? 'unknown'})`, { held, why })
    }
    case 'provider': {
      if (line['event'] !== 'state' || line['state'] !== 'DISABLED') return null
      const [service, reason] = [text(line['service']), text(line['reason'])]
      return notice('provider-disabled', `${service} is not asked any more: ${reason ?? 'no reason given'}`, { service, reason, until: text(line['until']) })
    }
    default: return null
  }
}

type Make = (kind: NoticeKind, words: string, facts?: Notice['facts']) => Notice

function sessionNotice(line: PastLine, notice: Make): Notice | null {
  const event = text(line['event'])
  if (event === 'start') return notice('started', `started: ${String(line['symbols']).replaceAll(',', ', ')} ${text(line['timeframe'])}`)
  if (event === 'restarted') return notice('started', 'goes on where it was', { restarted: true })
  if (event !== 'stopped' && event !== 'finished') return null
  const open = number(line['open_positions'])
  const left = open === null || open === 0 ? 'no position is open' : `${open} open position${open === 1 ? '' : 's'}, protected at the exchange`
  return notice('stopped', `${event}: ${left}`, { event, openPositions: open })
}

function entryNotice(line: PastLine, notice: Make): Notice | null {
  const order = record(line['order'])
  if (line['status'] !== 'EXECUTED' || order['side'] !== 'buy') return null
  const facts = {
    price: number(record(line['market_data'])['price']), spend: number(order['spend']), confidence: number(line['confidence']),
    provider: text(line['provider']), stopLoss: number(order['stopLoss']), takeProfit: number(order['takeProfit']),
  }
  const reasoning = (text(line['reasoning']) ?? '').slice(0, MAX_REASONING)
  return notice('entry', `bought ${text(line['symbol'])} for ${shown(facts.spend)} at about ${shown(facts.price)} `
    + `(${facts.provider}, confidence ${shown(facts.confidence)})${reasoning === '' ? '' : `: ${reasoning}`}`, facts)
}

function exitNotice(line: PastLine, notice: Make): Notice {
  const facts = {
    reason: text(line['reason']), price: number(line['exitPrice']), quantity: number(line['quantity']), pnl: number(line['pnl']),
    netReturn: number(line['netReturn']), fees: number(line['fees']),
  }
  const result = facts.pnl === null ? 'result unknown' : signed(Number(facts.pnl.toFixed(2)))
  const share = facts.netReturn === null ? '' : ` (${percent(facts.netReturn)})`
  return notice('exit', `sold ${text(line['symbol'])} at ${shown(facts.price)} by ${facts.reason}: ${result}${share}`, facts)
}

/** Lines with a symbol are about one order that was not sent. */
function riskNotice(line: PastLine, notice: Make): Notice | null {
  const [rule, state, equity] = [text(line['rule']), text(line['state']), number(line['equity'])]
  if (line['symbol'] !== undefined) return null
  const facts = { rule, state, equity }
  if (state !== 'ACTIVE') {
    return notice('halt', `${state === 'REDUCING' ? 'no more entries today' : 'no more orders, protection stays'}: ${rule}, equity ${shown(equity)}`, facts)
  }
  return rule === 'operator' ? notice('started', `trades again, equity ${shown(equity)}`, facts) : null
}

/** Counts what a UTC day brought, from the trail alone, and says so when the first line of a later day comes. */
export class DaySummary {
  readonly #run: string
  #day: number | null = null
  #decisions = 0
  #entries = 0
  #trades = 0
  #wins = 0
  #pnl = 0
  #alarms = 0

  constructor(run: string) {
    this.#run = run
  }

  /** The notice of a day that is over, or null. A line that tells of an earlier day counts to the one in which it came. */
  see(line: PastLine): Notice | null {
    const time = timeOf(line)
    const day = time === null ? null : Math.floor(time / DAY_MS)
    const over = this.#day !== null && day !== null && day > this.#day ? this.#close(this.#day) : null
    if (day !== null && (this.#day === null || day > this.#day)) this.#day = day
    this.#count(line)
    return over
  }

  #count(line: PastLine): void {
    if (line.type === 'decision') {
      this.#decisions++
      if (line['status'] === 'EXECUTED' && record(line['order'])['side'] === 'buy') this.#entries++
    } else if (line.type === 'trade') {
      const pnl = number(line['pnl']) ?? 0
      this.#trades++
      this.#pnl += pnl
      if (pnl > 0) this.#wins++
    } else if (line.type === 'alarm') this.#alarms++
  }

  #close(day: number): Notice {
    const facts = {
      day: isoDay(day), decisions: this.#decisions, entries: this.#entries, trades: this.#trades, wins: this.#wins,
      pnl: Number(this.#pnl.toFixed(8)), alarms: this.#alarms,
    }
    this.#decisions = this.#entries = this.#trades = this.#wins = this.#pnl = this.#alarms = 0
    return {
      kind: 'daily-summary', time: (day + 1) * DAY_MS, run: this.#run, symbol: null, facts,
      text: `${facts.day}: ${facts.decisions} decisions, ${facts.entries} entries, ${facts.trades} trades closed (${facts.wins} with a gain), `
        + `${signed(Number(facts.pnl.toFixed(2)))}, ${facts.alarms} alarms`,
    }
  }
}
