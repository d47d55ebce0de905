/** The public API for people who use the engine as a library. */
export { registry, type World } from './assemble.ts'
export { backtest, type BacktestOptions, type BacktestResult } from './backtest.ts'
export { resolveScenario, type ResolvedScenario } from './config/resolve.ts'
export { loadScenario } from './config/scenario-file.ts'
export { readSettings } from './config/settings.ts'
export { TapedeckError } from './errors.ts'
export { definePlugin, defineStrategy } from './ports.ts'
export type * from './ports.ts'
