import { fixed, gain, percent, priceDecimals, quantity, change, utcMinute, count, usd } from '../report/format.ts'
import { apart, box, heading, item, paint, span, table, widthOf, type Ink, type Line, type Span } from '../report/terminal-layout.ts'
import { plain, wrap } from '../report/text.ts'
import { EXIT_LABELS } from '../report/facts.ts'
import type { ExitReason } from '../core/order.ts'
import type { Exchange, ExplainedDecision, Explanation, ServiceTalk, Talk, TrailEvent } from './explanation.ts'

export interface ExplainTerminal {
  readonly colour: boolean
  readonly width: number
}

const actionInk = (action: string | null): Ink | undefined => (action === 'BUY' ? 'up' : action === 'SELL' ? 'down' : undefined)
const minute = (iso: unknown): string => {
  const time = Date.parse(String(iso))
  return Number.isNaN(time) ? String(iso) : utcMinute(time)
}
const word = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** An explanation for a terminal, without a final line break. Whatever a service said is printed, never obeyed. */
export function renderExplanation(told: Explanation, { colour, width }: ExplainTerminal): string {
  const digits = priceDecimals((told.candles?.rows ?? []).flatMap((row) => row.slice(1, 5)))
  const lines: Line[] = [
    ...headline(told, width),
    ...candles(told, digits, width),
    ...(told.decision === null ? [] : decision('Decision', told.decision, width, true)),
    ...orders(told, width),
    ...fills(told, digits, width),
    ...trade(told, digits, width),
    ...(told.exit === null ? [] : decision('Decision to leave', told.exit, width, false)),
    ...(told.notes.length === 0 ? [] : [[], heading('Not all is there', width), ...told.notes.flatMap((note) => item('!', note, width, 'warn'))]),
  ]
  return paint(lines, colour)
}

function headline({ run, kind, timeframe, decision: made, trade: closed, about, quote }: Explanation, width: number): Line[] {
  const inner = width - 4
  const symbol = made?.symbol ?? word(closed?.['symbol'])
  const title = about === 'trade' ? `Trade ${closed!.number}` : `Decision, line ${made!.seq}`
  const right: Line = about === 'trade'
    ? [span(`${gain(number(closed!['pnl']), quote)} ${quote}  ${change(number(closed!['netReturn']))}`, sign(closed!['pnl']))]
    : [span(`${made!.action} ${percent(made!.confidence)}  `, actionInk(made!.action)), span(made!.status, 'bold')]
  const when = made === null ? minute(closed?.['entryTime']) : minute(made.time)
  return box([
    apart([span(title, 'bold')], right, inner),
    [span(`${symbol}${timeframe === null ? '' : ` · ${timeframe}`} · ${when} UTC`)],
    [span(`${kind} ${run}`, 'soft')],
  ], width)
}

const sign = (value: unknown): Ink | undefined => {
  const amount = number(value)
  return amount === null || amount === 0 ? undefined : amount > 0 ? 'up' : 'down'
}

function candles(told: Explanation, digits: number, width: number): Line[] {
  if (told.candles === null) return []
  const { rows } = told.candles
  const step = rows.length < 2 ? 0 : Math.min(...rows.slice(1).map(([time], index) => time - rows[index][0]))
  const signs = marks(told, step)
  const title = ['Opens, UTC', 'Open', 'High', 'Low', 'Close', 'Volume'].map((text): Line => [span(text, 'soft')])
  const shown: (readonly Line[])[] = [title]
  rows.forEach(([time, open, high, low, close, volume], index) => {
    if (index > 0 && step > 0 && time - rows[index - 1][0] > step) {
      shown.push([[span(`… ${count((time - rows[index - 1][0]) / step - 1)} candles between`, 'soft')]])
    }
    const ink: Ink | undefined = close > open ? 'up' : close < open ? 'down' : undefined
    const here = signs.get(time)
    shown.push([
      [span(utcMinute(time), here === undefined ? undefined : 'bold')], ...[open, high, low].map((value): Line => [span(fixed(value, digits))]),
      [span(fixed(close, digits), ink)], [span(quantity(volume))],
    ])
  })
  // Columns of figures stand together; what happened in a candle is told behind them.
  const laid = table(shown, Math.min(width, 78))
  let at = -1
  const told_ = laid.map((line, index): Line => {
    if (index === 0 || shown[index].length === 1) return line
    const here = signs.get(rows[++at][0])
    return here === undefined ? line : [...line, span(`  ${here}`, 'bold')]
  })
  const marked = told_.flatMap((line) => (widthOf(line) <= width ? [line] : broken(line)))
  return [[], heading('Candles', width), ...marked]
}

/** What stands behind the figures goes below them where there is no room. */
const broken = (line: Line): Line[] => [line.slice(0, -1), [span(`  ${line.at(-1)!.text.trim()}`, 'bold')]]

/** What happened in which candle, by its open time. */
function marks({ decision: made, exit, trade: closed, fills: filled }: Explanation, step: number): ReadonlyMap<number, string> {
  const signs = new Map<number, string>()
  const mark = (time: number, text: string): void => { signs.set(time, signs.has(time) ? `${signs.get(time)}, ${text}` : `◀ ${text}`) }
  if (made !== null) mark(Date.parse(made.time) - step, `${made.action} at its close`)
  for (const fill of filled) {
    const time = Date.parse(String(fill['timestamp']))
    mark(step === 0 ? time : Math.floor(time / step) * step, fill['side'] === 'buy' ? 'bought' : `sold: ${exitName(fill['reason'])}`)
  }
  if (filled.length === 0 && closed !== null) mark(Date.parse(String(closed['exitTime'])), 'sold')
  if (exit !== null) mark(Date.parse(exit.time) - step, `${exit.action} at its close`)
  return signs
}

const exitName = (reason: unknown): string =>
  (typeof reason === 'string' && Object.hasOwn(EXIT_LABELS, reason) ? EXIT_LABELS[reason as ExitReason] : word(reason) || 'no reason').toLowerCase()

function decision(title: string, made: ExplainedDecision, width: number, whole: boolean): Line[] {
  const { action, confidence, status, reason, provider, model, reasoning, fallbacks, usage, latencyMs } = made
  const by = `${provider ?? 'nobody'}${model === null ? '' : ` (${model})`}`
  return [
    [], heading(`${title}, line ${made.seq}`, width),
    [span(`${action} ${percent(confidence)}`, actionInk(action) ?? 'bold'), span(` by ${by}: `), span(status, 'bold'),
      ...(reason === null ? [] : [span(`, ${reason}`, 'warn')])],
    ...quoted(reasoning, width),
    ...wrap(`Snapshot at ${minute(made.time)} UTC: ${Object.entries(made.market).map(([name, value]) => `${name} ${typeof value === 'number' ? trimmedNumber(value) : String(value)}`).join(', ')}`, width)
      .map((text): Line => [span(text, 'soft')]),
    ...(made.talk === null || made.talk.source !== 'decision' ? [] : fallbacks.filter(({ provider: name }) => !made.talk!.services.some((one) => one.provider === name))
      .flatMap(({ provider: name, error }) => item('!', `${name} did not answer: ${error}`, width, 'warn'))),
    ...(made.rules === null ? [] : item('·', made.rules, width)),
    ...(made.talk === null ? [] : talk(made.talk, width, whole)),
    ...(usage === null ? [] : item('·', usageText(usage, latencyMs), width, 'soft')),
    ...checks(made, width),
  ]
}

const trimmedNumber = (value: number): string => String(Number(value.toPrecision(10)))

function usageText(usage: Readonly<Record<string, unknown>>, latencyMs: number | null): string {
  const { input_tokens: sent, output_tokens: got, cost_usd: cost } = usage
  return `${count(number(sent))} tokens in, ${count(number(got))} out, ${usd(number(cost) ?? 0)}${latencyMs === null ? '' : `, ${count(latencyMs)} ms in all`}`
}

const SOURCES: Readonly<Record<Talk['source'], string>> = {
  trail: 'each answer is in the trail', recording: 'each answer is in the recording', decision: 'the trail holds the answers that counted',
}

function talk({ system, services, source }: Talk, width: number, whole: boolean): Line[] {
  const asked = services.some(({ exchanges }) => exchanges.some(({ question }) => question !== null))
  const lines: Line[] = [[], heading(asked ? 'Prompts and answers' : 'Answers', width),
    ...item('·', `${asked ? 'Prompts are written again from the candles; ' : ''}${SOURCES[source]}.`, width, 'soft')]
  if (system !== null && system !== '' && whole) lines.push([span('System', 'bold')], ...framed(system, width))
  return [...lines, ...services.flatMap((service) => serviceLines(service, width))]
}

function serviceLines({ provider, model, skipped, failure, exchanges }: ServiceTalk, width: number): Line[] {
  const head: Span[] = [span(provider, 'bold'), ...(model === null ? [] : [span(` (${model})`)])]
  const end = skipped !== null ? item('!', `${provider} was not asked${exchanges.length > 0 ? ' further' : ''}: ${skipped}`, width, 'warn')
    : failure !== null ? item('!', `${provider} gave no answer that counts: ${failure}`, width, 'warn') : []
  return [[], head, ...exchanges.flatMap((one) => exchangeLines(one, width)), ...end]
}

function exchangeLines({ question, action, confidence, reasoning, failure, phase, latencyMs, attempts }: Exchange, width: number): Line[] {
  const took = latencyMs === null ? '' : `, ${count(latencyMs)} ms${(attempts ?? 1) > 1 ? ` and ${attempts} requests` : ''}`
  const answer: Line[] = action === null ? []
    : [[span('Answer: ', 'bold'), span(`${action} ${percent(confidence)}`, actionInk(action) ?? 'bold')], ...quoted(reasoning ?? '', width)]
  return [
    [span(`${phase[0].toUpperCase()}${phase.slice(1)}${took}`, 'soft')],
    ...(question === null ? [] : framed(question, width)),
    ...answer,
    ...(failure === null ? [] : item('!', failure, width, 'warn')),
  ]
}

/** A text of several lines behind a rule, so that it cannot pass for anything of this page. */
const framed = (text: string, width: number): Line[] =>
  text.split(/\r\n|\n|\r/).flatMap((row) => broadWrap(plain(row), width - 2).map((part): Line => [{ text: '│ ', ink: 'soft' }, span(part)]))

const quoted = (text: string, width: number): Line[] =>
  text.split(/\r\n|\n|\r/).flatMap((row) => broadWrap(plain(row), width - 4).map((part): Line => [span(`  “${part}”`)]))
    .map((line, index, all): Line => {
      const [{ text: own }] = line
      return [{ text: `${index === 0 ? '  “' : '   '}${own.slice(3, -1)}${index === all.length - 1 ? '”' : ''}` }]
    })

/** Like wrapping, but a word that is longer than a line is cut into several: nobody has to copy it. */
const broadWrap = (text: string, width: number): string[] =>
  wrap(text, width).flatMap((line) => {
    const letters = [...line]
    const parts: string[] = []
    for (let at = 0; at < Math.max(1, letters.length); at += width) parts.push(letters.slice(at, at + width).join(''))
    return parts
  })

function checks({ checks: risk, threshold }: ExplainedDecision, width: number): Line[] {
  if (risk === null && threshold === null) return []
  const lines: Line[] = [[], heading('Checks', width)]
  if (risk !== null) lines.push(...grid(risk.rules.map(({ rule, passed }): Span => span(`${passed ? '✓' : '✗'} ${rule}`, passed ? undefined : 'warn')), width))
  if (risk !== null && !risk.validated) {
    const failed = risk.rules.filter(({ passed }) => !passed).map(({ rule }) => rule)
    lines.push(...item('✗', `Risk validation refused the ${risk.order}: ${failed.join(', ')}`, width, 'warn'))
  }
  if (threshold !== null) {
    const { confidence, required, verified } = threshold
    lines.push(...item(verified ? '✓' : '✗',
      `Confidence ${percent(confidence)} against ${percent(required)} required: ${verified ? 'enough' : 'not enough'}`, width, verified ? undefined : 'warn'))
  }
  return lines
}

function grid(cells: readonly Span[], width: number): Line[] {
  const cell = Math.max(1, ...cells.map((one) => widthOf([one]))) + 2
  const columns = Math.max(1, Math.floor(width / cell))
  const rows = Math.ceil(cells.length / columns)
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => cells.at(column * rows + row) ?? null)
    .flatMap((one, column): Span[] => (one === null || column * rows + row >= cells.length ? [] : [one, { text: ' '.repeat(cell - widthOf([one])) }])))
}

function orders({ orders: events, decision: made, quote }: Explanation, width: number): Line[] {
  if (made?.order === undefined || made.order === null) return []
  const { id, side, spend, quantity: units, stopLoss, takeProfit } = made.order
  const what = side === 'buy' ? `buy for ${fixed(number(spend), 2)} ${quote}` : `sell ${quantity(number(units))}`
  const guard = side === 'buy' ? `, stop ${share(stopLoss)}, target ${share(takeProfit)}` : ''
  return [
    [], heading('Order', width),
    ...item(made.status === 'EXECUTED' || made.status === 'FAILED' ? '·' : '✗',
      `${String(id)}: ${what}${guard}${made.status === 'REJECTED' ? '; it was refused and never sent' : made.status === 'SIGNAL' ? '; it was noted and not sent' : ''}`, width),
    ...events.flatMap((event) => item('·', `${minute(event['timestamp'])} ${eventText(event)}`, width, 'soft')),
  ]
}

const share = (value: unknown): string => (typeof value === 'number' ? percent(value) : 'none')

function eventText({ type, purpose, state, reason, seq }: TrailEvent): string {
  const what = type === 'intent' ? (purpose === undefined ? 'intent written before it was sent' : `intent to ${word(purpose)}`) : `${word(state)}${typeof reason === 'string' ? `: ${reason}` : ''}`
  return `${what} (line ${String(seq)})`
}

function fills({ fills: filled, decision: made, trade: closed, quote }: Explanation, digits: number, width: number): Line[] {
  if (filled.length === 0) return []
  const [base] = (made?.symbol ?? word(closed?.['symbol'])).split('/')
  return [[], heading('Fills', width), ...filled.flatMap((fill) => {
    const { timestamp, side, price, quantity: units, notional, fee_base: feeBase, fee_quote: feeQuote, liquidity, reason, ambiguous, stop, target, seq } = fill
    const fee = number(feeBase) ? `${quantity(number(feeBase))} ${base}` : `${quantity(number(feeQuote))} ${quote}`
    const guard = number(stop) === null && number(target) === null ? '' : `; stop ${fixed(number(stop), digits)}, target ${fixed(number(target), digits)}`
    const why = side === 'sell' ? ` by ${exitName(reason)}` : ''
    return item('·', `${minute(timestamp)} ${side === 'buy' ? 'bought' : 'sold'} ${quantity(number(units))} ${base} at ${fixed(number(price), digits)}${why}, `
      + `${fixed(number(notional), 2)} ${quote}, fee ${fee}, ${String(liquidity)}${guard}${ambiguous === true ? '; the candle touched stop and target' : ''} (line ${String(seq)})`, width)
  })]
}

function trade({ trade: closed, decision: made, fills: filled, quote }: Explanation, digits: number, width: number): Line[] {
  if (closed === null) {
    const open = made?.order?.['side'] === 'buy' && filled.length > 0
    return open ? [[], heading('Trade', width), ...item('·', 'Not closed yet: the position was still held where the trail ends.', width)] : []
  }
  const { entryTime, entryPrice, exitTime, exitPrice, reason, fees, pnl, netReturn, candles: held, number: nth } = closed
  return [
    [], heading(`Trade ${nth}`, width),
    ...item('·', `in ${minute(entryTime)} at ${fixed(number(entryPrice), digits)}, out ${minute(exitTime)} at ${fixed(number(exitPrice), digits)} by ${exitName(reason)}`
      + `${number(held) === null ? '' : `, ${count(number(held))} candles`}`, width),
    [span('  '), span(`${gain(number(pnl), quote)} ${quote} (${change(number(netReturn))})`, sign(pnl)), span(` after fees of ${fixed(number(fees), 2)} ${quote}`)],
  ]
}
