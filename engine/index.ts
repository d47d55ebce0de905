/** The public API for people who use the engine as a library. */
export { registry, type World } from './assemble.ts'
export { Registry, type PluginManifest, type StrategyManifest } from './registry.ts'
export { backtest, type BacktestOptions, type BacktestResult } from './backtest.ts'
export { resolveScenario, type ResolvedScenario } from './config/resolve.ts'
export { loadScenario } from './config/scenario-file.ts'
export { readSettings } from './config/settings.ts'
export { TapedeckError } from './errors.ts'
export {
  AutonomousAITrader, BackupAIService, GeminiAnalyzer, type Analysis, type MarketData, type ServiceStatus, type TraderAnalysis,
} from './trader.ts'
export { FullyAutonomousTrader, type AutonomousStatus, type ExecutedDecision, type FullyAutonomousOptions } from './fully-autonomous.ts'
export { definePlugin, defineStrategy } from './ports.ts'
export type * from './ports.ts'
export type { Candle } from './core/candle.ts'
export type { IndicatorSpecs } from './core/indicators.ts'
export type { Action, Opinion } from './core/opinion.ts'
export type { Policy } from './core/policy.ts'
export type { Snapshot } from './core/snapshot.ts'
