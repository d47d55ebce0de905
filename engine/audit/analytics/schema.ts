import { DECISION_TABLES } from './decision-tables.ts'
import type { TableSpec } from './table-spec.ts'
import { ORDER_TABLES } from './order-tables.ts'
import { RUN_TABLES } from './run-tables.ts'

/** Every table that can be asked, in the order in which they are shown. Tables, their documentation and what is read of a trail all come from here. */
export const TABLES = {
  runs: RUN_TABLES.runs,
  decisions: DECISION_TABLES.decisions,
  turns: DECISION_TABLES.turns,
  checks: DECISION_TABLES.checks,
  orders: ORDER_TABLES.orders,
  fills: ORDER_TABLES.fills,
  trades: ORDER_TABLES.trades,
  provider_events: DECISION_TABLES.provider_events,
  equity: RUN_TABLES.equity,
} as const satisfies Readonly<Record<string, TableSpec>>

export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[]

/** The same, for code that goes through all of them. */
export const tableOf = (name: TableName): TableSpec => TABLES[name]
