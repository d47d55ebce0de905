import type { DuckDBResultReader, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import {
  DuckDBDateValue, DuckDBDecimalValue, DuckDBListValue, DuckDBArrayValue, DuckDBMapValue, DuckDBStructValue, DuckDBTimestampValue,
  DuckDBTimestampTZValue,
} from '@duckdb/node-api'

/** A result as plain values: what JSON can say. */
export interface Table {
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean }[]
  readonly rows: readonly (readonly unknown[])[]
}

const NUMBERS = /^(U?(TINY|SMALL|HUGE|BIG)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*)$/

export function plainTable(reader: DuckDBResultReader): Table {
  const types = reader.columnTypes()
  const columns = reader.deduplicatedColumnNames().map((name, index) => ({ name, isNumber: NUMBERS.test(String(types[index])) }))
  return { columns, rows: reader.getRows().map((row) => row.map((value, index) => plain(value, types[index]))) }
}

export function plainRows(reader: DuckDBResultReader): Record<string, unknown>[] {
  const { columns, rows } = plainTable(reader)
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index].name, value])))
}

/**
 * Whole numbers as numbers where a double holds them exactly, else as text; times as ISO text; what is not a number is null;
 * JSON as what it says.
 */
function plain(value: DuckDBValue, type?: DuckDBType): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'string') return type?.alias === 'JSON' ? JSON.parse(value) as unknown : value
  if (value === null || typeof value === 'boolean') return value
  if (value instanceof DuckDBDecimalValue) return value.toDouble()
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return isoOf(value.micros) ?? String(value)
  if (value instanceof DuckDBDateValue) return String(value)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map((item) => plain(item))
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, plain(item)]))
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(value.entries.map(({ key, value: item }) => [String(plain(key)), plain(item)]))
  }
  return String(value)
}

/** null for what a Date cannot hold, such as infinity. */
function isoOf(micros: bigint): string | null {
  const ms = Number(micros / 1000n)
  const rest = Number(micros % 1000n)
  if (Math.abs(ms) > 8.64e15) return null
  const iso = new Date(rest < 0 ? ms - 1 : ms).toISOString()
  return rest === 0 ? iso : iso.replace('Z', `${String((rest + 1000) % 1000).padStart(3, '0')}Z`)
}
