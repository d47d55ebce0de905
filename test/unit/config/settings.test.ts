import { describe, expect, it } from 'vitest'
import { maskedSecrets, readSettings, SETTING_NAMES } from '../../../engine/config/settings.ts'
import { TapedeckError } from '../../../engine/errors.ts'

const DEFAULTS = {
  checkIntervalSeconds: 60, autonomousMode: true, enableBackupApis: true, binanceEnv: 'testnet', host: '127.0.0.1',
  port: 5000,
}

const refusal = (name: string, value: string): TapedeckError => {
  try {
    readSettings({ [name]: value })
  } catch (error) {
    if (error instanceof TapedeckError) return error
    throw error
  }
  throw new Error(`${name}=${value} was not refused`)
}

describe('settings from the environment', () => {
  it('have defaults, and leave the policy to others where nothing is set', () => {
    expect(readSettings({})).toEqual(DEFAULTS)
    expect(readSettings({ STOP_LOSS_PERCENT: '', SYMBOL: '', PORT: undefined, UNRELATED: 'x' })).toEqual(DEFAULTS)
  })

  it.each([
    ['SYMBOL', 'ETH/USDT', 'ETH/USDT'],
    ['TIMEFRAME', '15m', '15m'],
    ['MIN_CONFIDENCE_FOR_TRADE', '0', 0],
    ['MIN_CONFIDENCE_FOR_TRADE', '1', 1],
    ['MIN_CONFIDENCE_FOR_TRADE', '.7', 0.7],
    ['STOP_LOSS_PERCENT', '0.05', 0.05],
    ['STOP_LOSS_PERCENT', ' 0.02 ', 0.02],
    ['TAKE_PROFIT_PERCENT', '0.999', 0.999],
    ['MAX_POSITION_SIZE', '1', 1],
    ['MAX_POSITION_SIZE', '0.5', 0.5],
    ['CHECK_INTERVAL', '1', 1],
    ['CHECK_INTERVAL', '90.5', 90.5],
    ['AUTONOMOUS_MODE', 'false', false],
    ['AUTONOMOUS_MODE', 'TRUE', true],
    ['ENABLE_BACKUP_APIS', 'False', false],
    ['BINANCE_ENV', 'mainnet', 'mainnet'],
    ['BINANCE_ENV', 'demo', 'demo'],
    ['HOST', '0.0.0.0', '0.0.0.0'],
    ['PORT', '0', 0],
    ['PORT', '65535', 65_535],
  ] as const)('%s=%s is taken', (name, text, value) => {
    expect(readSettings({ [name]: text })).toEqual({ ...DEFAULTS, [SETTING_NAMES[name]]: value })
  })

  it.each([
    ['SYMBOL', 'btcusdt', 'BASE/QUOTE'],
    ['SYMBOL', 'BTC,ETH/USDT', 'BASE/QUOTE'],
    ['TIMEFRAME', '7h', 'timeframe such as'],
    ['TIMEFRAME', '1H', 'timeframe such as'],
    ['MIN_CONFIDENCE_FOR_TRADE', '1.01', '0 to 1'],
    ['MIN_CONFIDENCE_FOR_TRADE', '-0.1', '0 to 1'],
    ['MIN_CONFIDENCE_FOR_TRADE', '60%', '0 to 1'],
    ['MIN_CONFIDENCE_FOR_TRADE', 'breakeven', '0 to 1'],
    ['STOP_LOSS_PERCENT', '5', '0.05 means 5 %'],
    ['STOP_LOSS_PERCENT', '1', '0.05 means 5 %'],
    ['STOP_LOSS_PERCENT', '0', '0.05 means 5 %'],
    ['STOP_LOSS_PERCENT', '-0.05', '0.05 means 5 %'],
    ['STOP_LOSS_PERCENT', 'Infinity', '0.05 means 5 %'],
    ['TAKE_PROFIT_PERCENT', '3', '0.05 means 5 %'],
    ['TAKE_PROFIT_PERCENT', '3%', '0.05 means 5 %'],
    ['MAX_POSITION_SIZE', '0', '0.02 means 2 %'],
    ['MAX_POSITION_SIZE', '2', '0.02 means 2 %'],
    ['CHECK_INTERVAL', '0', 'at least 1'],
    ['CHECK_INTERVAL', 'Infinity', 'at least 1'],
    ['CHECK_INTERVAL', '1m', 'at least 1'],
    ['AUTONOMOUS_MODE', 'yes', 'true or false'],
    ['ENABLE_BACKUP_APIS', '1', 'true or false'],
    ['BINANCE_ENV', 'prod', 'testnet, demo or mainnet'],
    ['PORT', '65536', '0 to 65535'],
    ['PORT', '80.5', '0 to 65535'],
    ['PORT', '0x50', '0 to 65535'],
    ['PORT', '1e3', '0 to 65535'],
    ['PORT', ' ', '0 to 65535'],
  ])('%s=%s is refused', (name, text, expected) => {
    const { code, message } = refusal(name, text)
    expect(code).toBe('TD_SETTING_INVALID')
    expect(message.startsWith(`${name}=`)).toBe(true)
    expect(message).toContain(expected)
    expect(message).toContain('.env')
    expect(message).not.toContain('\n')
  })

  it('have a good and a bad value tested for each variable', () => {
    // HOST takes any name: whether one can listen there shows when the server starts.
    expect(Object.keys(SETTING_NAMES).sort()).toEqual([
      'AUTONOMOUS_MODE', 'BINANCE_ENV', 'CHECK_INTERVAL', 'ENABLE_BACKUP_APIS', 'HOST', 'MAX_POSITION_SIZE',
      'MIN_CONFIDENCE_FOR_TRADE',
      'PORT', 'STOP_LOSS_PERCENT', 'SYMBOL', 'TAKE_PROFIT_PERCENT', 'TIMEFRAME',
    ])
  })
})

describe('secrets', () => {
  it('are never shown', () => {
    const masked = maskedSecrets({
      GEMINI_API_KEY: 'AIzaSyA-very-secret-1a2b', BINANCE_API_SECRET: 'short-secret', API_TOKEN: '',
      STOP_LOSS_PERCENT: '0.05',
    }, ['GEMINI_API_KEY', 'OPENAI_API_KEY'])
    expect(masked).toEqual({
      BINANCE_API_KEY: 'not set', BINANCE_API_SECRET: 'set', GEMINI_API_KEY: 'set, ends in …1a2b',
      OPENAI_API_KEY: 'not set', API_TOKEN: 'not set',
    })
  })
})
