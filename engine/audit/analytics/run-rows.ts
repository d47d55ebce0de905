import type { Source } from './sources.ts'

type Fields = Readonly<Record<string, unknown>>

const object = (value: unknown): Fields =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Fields : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value))

/** The columns of `runs` for one source, by name. What its record does not say is null. */
export function runRow({ run, directory, isCell, record }: Source): Record<string, string | number | null> {
  const { state, kind, seed, startedAt, finishedAt, figures, labels, scenario } = object(record)
  const { name, strategy, providers, symbols, symbol, timeframe, policy } = object(scenario)
  const { minConfidence, stopLoss, takeProfit, positionSize } = object(policy)
  const of = object(figures)
  return {
    run, directory,
    kind: isCell ? 'cell' : text(kind) ?? 'backtest', state: text(state),
    name: text(name), strategy: text(object(strategy)['name']) ?? text(strategy),
    providers: joined(list(providers).map((one) => text(object(one)['name']) ?? text(one))),
    symbols: joined([...list(symbols), symbol]), timeframe: text(timeframe),
    min_confidence: number(minConfidence), stop_loss: number(stopLoss), take_profit: number(takeProfit),
    position_size: number(positionSize), seed: number(seed ?? object(scenario)['seed']),
    started_at: text(startedAt), finished_at: text(finishedAt),
    final_equity: number(of['finalEquity']), total_return: number(of['totalReturn']), return_net_of_ai: number(of['returnNetOfAi']),
    max_drawdown: number(of['maxDrawdown']), sharpe: number(of['sharpe']), trades: number(of['trades']), win_rate: number(of['winRate']),
    ai_cost: number(of['aiCost']), coverage: number(of['coverage']),
    labels: json(labels), figures: json(figures), scenario: json(scenario),
  }
}

function joined(values: readonly unknown[]): string | null {
  const texts = values.filter((value) => typeof value === 'string')
  return texts.length === 0 ? null : texts.join(', ')
}
