import type { Environment, Settings } from './config/settings.ts'
import { isLoopbackOrigin, spelledOut } from './core/loopback.ts'
import { TapedeckError } from './errors.ts'
import type { Venue } from './ports.ts'
import type { RunRecord } from './session/live-directory.ts'

/** Key and secret of a practice exchange, unless the environment says others: nothing there is worth a secret. */
export const PRACTICE = 'practice'

/** What a person asks for on the command line, beside the environment. */
export interface VenueWishes {
  /** Origin of a practice exchange on this machine, such as `http://127.0.0.1:4711`. */
  readonly exchange?: string | undefined
  readonly mainnet?: boolean | undefined
  /** Capital in quote that may be risked at most. */
  readonly cap?: number | undefined
}

const refuse = (reason: string): never => {
  throw new TapedeckError('TD_VENUE', reason)
}

/**
 * The venue that orders and candles belong to: a practice exchange that is named, else what `BINANCE_ENV` says.
 * Throws TD_VENUE for an exchange that is not on this machine, for mainnet without each of its three opt-ins, and for
 * keys that are missing.
 */
export function venueFrom(
  settings: Settings, env: Environment, { exchange, mainnet = false, cap }: VenueWishes,
): Venue {
  if (exchange !== undefined) {
    if (mainnet) refuse(`--exchange ${exchange} and --mainnet exclude each other; leave one out`)
    return practiceVenue(exchange, env)
  }
  const name = settings.binanceEnv
  if (mainnet && name !== 'mainnet') {
    refuse(`--mainnet is given, but BINANCE_ENV is ${name}; `
      + 'set BINANCE_ENV=mainnet for orders with real money, or leave --mainnet out')
  }
  if (name === 'mainnet') {
    const capped = cap !== undefined && cap > 0 && Number.isFinite(cap)
    const missing = [
      ...missingOptIns(mainnet, env), ...(capped ? [] : ['--max-capital N, the most that may be risked in quote']),
    ]
    if (missing.length > 0) {
      refuse(`mainnet trades real money and needs three opt-ins; missing: ${missing.join(', ')}; `
        + 'or use BINANCE_ENV=testnet')
    }
  }
  return withKeys(name, env)
}

/**
 * The venue that a recorded run traded at, for commands that only sell: a mainnet run needs `--mainnet` and
 * `ALLOW_MAINNET=yes`, and no cap, since nothing is bought. Throws TD_VENUE.
 */
export function venueOfRun(
  record: RunRecord, settings: Settings, env: Environment, { mainnet = false }: VenueWishes,
): Venue {
  const { name, url } = recordedVenue(record)
  if (name === 'practice') return practiceVenue(url ?? '', ownsExchange(record) ? {} : env)
  if (settings.binanceEnv !== name) {
    refuse(`the run trades at ${name}, but BINANCE_ENV is ${settings.binanceEnv}; `
      + `set BINANCE_ENV=${name} and the keys of that venue`)
  }
  if (name === 'mainnet') {
    const missing = missingOptIns(mainnet, env)
    if (missing.length > 0) refuse(`the run trades real money at mainnet; missing: ${missing.join(', ')}`)
  }
  return withKeys(name, env)
}

/** Name and origin of the venue in run.json. Throws TD_USAGE for a run that never had one. */
export function recordedVenue(record: RunRecord): Pick<Venue, 'name' | 'url'> {
  const venue = record['venue'] as Pick<Venue, 'name' | 'url'> | undefined
  if (venue !== undefined) return venue
  throw new TapedeckError('TD_USAGE', `${String(record['run'])}: this is a backtest, which trades at no venue`)
}

/** The run's orders are filled on paper: nothing of it is at any venue. */
export const isPaper = (record: RunRecord): boolean => record['kind'] === 'paper'

/** Binance's prices, without an account. */
export const PUBLIC_DATA: Venue = { name: 'public', url: null, apiKey: '', apiSecret: '' }

/** The run's practice exchange lives in its own process, and ends with it. */
export const ownsExchange = (record: RunRecord): boolean => record['exchange'] === 'own'

const missingOptIns = (mainnet: boolean, env: Environment): string[] => [
  ...(mainnet ? [] : ['--mainnet']),
  ...(env['ALLOW_MAINNET'] === 'yes' ? [] : ['ALLOW_MAINNET=yes in the environment']),
]

function practiceVenue(url: string, env: Environment): Venue {
  const origin = spelledOut(url.replace(/\/$/, ''))
  if (!isLoopbackOrigin(origin)) {
    refuse(`practice exchange ${url === '' ? '(none)' : url}: `
      + 'expected an address on this machine, such as http://127.0.0.1:4711')
  }
  const { BINANCE_API_KEY: apiKey, BINANCE_API_SECRET: apiSecret } = env
  return { name: 'practice', url: origin, apiKey: apiKey || PRACTICE, apiSecret: apiSecret || PRACTICE }
}

function withKeys(name: Exclude<Venue['name'], 'practice'>, env: Environment): Venue {
  const { BINANCE_API_KEY: apiKey = '', BINANCE_API_SECRET: apiSecret = '' } = env
  const missing = [...(apiKey === '' ? ['BINANCE_API_KEY'] : []), ...(apiSecret === '' ? ['BINANCE_API_SECRET'] : [])]
  if (missing.length > 0) {
    refuse(`${name}: ${missing.join(' and ')} must be set; `
      + `put the keys of ${name} into the environment or .env, or use --exchange`)
  }
  return { name, url: null, apiKey, apiSecret }
}
