import { isTimeframe, timeframeOf, TIMEFRAMES, type Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A market as it is written everywhere: its name goes unquoted into tables and file names. */
export const SYMBOL = /^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/

/** Secrets of the engine itself: plugins declare their own. */
const SECRETS = ['BINANCE_API_KEY', 'BINANCE_API_SECRET', 'API_TOKEN'] as const

/** What the environment may set. Keys that are absent were not set. */
export interface Settings {
  readonly symbol?: string
  readonly timeframe?: Timeframe
  readonly minConfidence?: number
  readonly stopLoss?: number
  readonly takeProfit?: number
  readonly positionSize?: number
  readonly checkIntervalSeconds: number
  readonly autonomousMode: boolean
  readonly enableBackupApis: boolean
  readonly binanceEnv: 'testnet' | 'demo' | 'mainnet'
  readonly host: string
  readonly port: number
}

/** Environment variables and what each sets, in the order in which `tapedeck config` shows them. */
export const SETTING_NAMES = {
  SYMBOL: 'symbol',
  TIMEFRAME: 'timeframe',
  MIN_CONFIDENCE_FOR_TRADE: 'minConfidence',
  STOP_LOSS_PERCENT: 'stopLoss',
  TAKE_PROFIT_PERCENT: 'takeProfit',
  MAX_POSITION_SIZE: 'positionSize',
  CHECK_INTERVAL: 'checkIntervalSeconds',
  AUTONOMOUS_MODE: 'autonomousMode',
  ENABLE_BACKUP_APIS: 'enableBackupApis',
  BINANCE_ENV: 'binanceEnv',
  HOST: 'host',
  PORT: 'port',
} as const satisfies Record<string, keyof Settings>

/** Other spellings that JavaScript takes for numbers, such as 0x10, are mistakes here. */
const DECIMAL = /^\s*-?(\d+\.?\d*|\.\d+)\s*$/

function fail(name: string, value: string, expected: string): never {
  throw new TapedeckError('TD_SETTING_INVALID',
    `${name}=${value}: expected ${expected}; correct it in the environment or in .env`)
}

/** Reads the environment. Throws TD_SETTING_INVALID naming the variable, what it held and what was expected. */
export function readSettings(env: Environment): Settings {
  const given = (name: string): string | undefined =>
    (env[name] === undefined || env[name] === '' ? undefined : env[name])
  const number = (name: string, fits: (value: number) => boolean, expected: string): number | undefined => {
    const text = given(name)
    if (text === undefined) return undefined
    const value = Number(text)
    return DECIMAL.test(text) && fits(value) ? value : fail(name, text, expected)
  }
  const fraction = (name: string): number | undefined => {
    const text = given(name)
    if (Number(text) >= 1) fail(name, text!, 'a fraction below 1: 0.05 means 5 %')
    return number(name, (value) => value > 0 && value < 1, 'a fraction between 0 and 1: 0.05 means 5 %')
  }
  const flag = (name: string, otherwise: boolean): boolean => {
    const text = given(name)?.toLowerCase()
    return text === undefined ? otherwise : text === 'true' ? true : text === 'false' ? false
      : fail(name, text, 'true or false')
  }
  const symbol = given('SYMBOL')
  if (symbol !== undefined && !SYMBOL.test(symbol)) fail('SYMBOL', symbol, 'BASE/QUOTE in capitals, such as BTC/USDT')
  const timeframe = given('TIMEFRAME')
  if (timeframe !== undefined && !isTimeframe(timeframe)) {
    fail('TIMEFRAME', timeframe, 'a timeframe such as 1m, 1h or 1d')
  }
  const binanceEnv = given('BINANCE_ENV') ?? 'testnet'
  if (binanceEnv !== 'testnet' && binanceEnv !== 'demo' && binanceEnv !== 'mainnet') {
    fail('BINANCE_ENV', binanceEnv, 'testnet, demo or mainnet')
  }
  return defined({
    symbol,
    timeframe,
    minConfidence: number('MIN_CONFIDENCE_FOR_TRADE', (value) => value >= 0 && value <= 1, 'a number from 0 to 1'),
    stopLoss: fraction('STOP_LOSS_PERCENT'),
    takeProfit: fraction('TAKE_PROFIT_PERCENT'),
    positionSize: number('MAX_POSITION_SIZE', (value) => value > 0 && value <= 1,
      'a share of equity above 0 and up to 1: 0.02 means 2 %'),
    checkIntervalSeconds: number('CHECK_INTERVAL', (value) => value >= 1, 'seconds, at least 1') ?? 60,
    autonomousMode: flag('AUTONOMOUS_MODE', true),
    enableBackupApis: flag('ENABLE_BACKUP_APIS', true),
    binanceEnv,
    host: given('HOST') ?? '127.0.0.1',
    port: number('PORT', (value) => Number.isInteger(value) && value >= 0 && value < 65_536, 'a port from 0 to 65535')
      ?? 5000,
  })
}

/** Defaults that only trading without an end has: the seed system's symbol, and a candle for every check. Throws TD_SETTING_INVALID. */
export function liveSettings(settings: Settings): Settings {
  const { symbol = 'BTC/USDT', timeframe, checkIntervalSeconds } = settings
  const checked = timeframe ?? timeframeOf(checkIntervalSeconds * 1000)
  if (checked !== null) return { ...settings, symbol, timeframe: checked }
  return fail('CHECK_INTERVAL', String(checkIntervalSeconds), `the seconds of one of ${Object.keys(TIMEFRAMES).join(', ')}, since without a timeframe candles are that long`)
}

/** The same object without keys whose value is undefined. */
const defined = (settings: { [K in keyof Settings]: Settings[K] | undefined }): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as unknown as Settings

/** Which secrets, and `others` beside the engine's own, are set, never what they are: `set, ends in …1a2b` or `not set`. */
export const maskedSecrets = (env: Environment, others: readonly string[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries([...SECRETS, ...others].map((name) => {
    const value = env[name] ?? ''
    return [name, value === '' ? 'not set' : value.length > 12 ? `set, ends in …${value.slice(-4)}` : 'set']
  }))
