import { columns, type TableSpec } from './table-spec.ts'

const runs: TableSpec = {
  about: 'One row per run or cell of a comparison, from its run.json or cell.json.',
  source: null,
  reads: [],
  columns: columns(
    ['run', 'VARCHAR', 'Name of its directory, by which all tables join; the path below the runs folder where two have one name.', ''],
    ['directory', 'VARCHAR', 'The directory’s path.', ''],
    ['kind', 'VARCHAR', 'backtest, cell, or the kind of live run: rehearsal, paper or live.', ''],
    ['state', 'VARCHAR', 'What run.json says: running, stopped, finished or interrupted; null for a cell.', ''],
    ['name', 'VARCHAR', 'The scenario’s name.', ''],
    ['strategy', 'VARCHAR', 'The strategy’s name.', ''],
    ['providers', 'VARCHAR', 'The chain of providers, separated by commas.', ''],
    ['symbols', 'VARCHAR', 'The markets, separated by commas.', ''],
    ['timeframe', 'VARCHAR', 'Length of the decision candle, such as 1h.', ''],
    ['min_confidence', 'DOUBLE', 'Confidence that an entry needs, 0 to 1.', ''],
    ['stop_loss', 'DOUBLE', 'Stop below the entry as a fraction; null for none.', ''],
    ['take_profit', 'DOUBLE', 'Target above the entry as a fraction; null for none.', ''],
    ['position_size', 'DOUBLE', 'Share of equity per entry.', ''],
    ['seed', 'BIGINT', 'The run’s seed.', ''],
    ['started_at', 'TIMESTAMP', 'When it was started, UTC, by the clock on the wall; null for a cell.', ''],
    ['finished_at', 'TIMESTAMP', 'When it ended, UTC, by the clock on the wall.', ''],
    ['final_equity', 'DOUBLE', 'Equity at the end, quote.', ''],
    ['total_return', 'DOUBLE', 'Return after all costs of trading, as a fraction.', ''],
    ['return_net_of_ai', 'DOUBLE', 'The same after the cost of AI answers.', ''],
    ['max_drawdown', 'DOUBLE', 'Deepest fall from a peak, as a negative fraction.', ''],
    ['sharpe', 'DOUBLE', 'Sharpe ratio, a year; null where it is undefined.', ''],
    ['trades', 'BIGINT', 'Closed trades.', ''],
    ['win_rate', 'DOUBLE', 'Share of trades that won.', ''],
    ['ai_cost', 'DOUBLE', 'What AI answers cost, USD.', ''],
    ['coverage', 'DOUBLE', 'Share of decisions put to an AI that an AI answered.', ''],
    ['labels', 'JSON', 'A cell’s place in its comparison, by axis: labels->>\'provider\'; null for a run.', ''],
    ['figures', 'JSON', 'All figures by name: figures->>\'sortino\'.', ''],
    ['scenario', 'JSON', 'The whole scenario: scenario->>\'$.strategy.params.fast\'.', ''],
  ),
}

const equity: TableSpec = {
  about: 'One row per run and UTC day, from equity.csv, which a run writes when it ends.',
  source: null,
  reads: [],
  columns: columns(
    ['run', 'VARCHAR', 'The run: the name of its directory; joins with runs.run.', ''],
    ['date', 'DATE', 'The day, UTC.', ''],
    ['equity', 'DOUBLE', 'Last equity of the day, quote.', ''],
  ),
}

export const RUN_TABLES = { runs, equity }
