import { isLoopbackOrigin } from '../../engine/core/loopback.ts'
import { TapedeckError } from '../../engine/errors.ts'
import type { Venue } from '../../engine/ports.ts'
import { CallError } from './call-error.ts'

/** The only host that each of Binance's own venues may talk to. */
const HOSTS: Readonly<Record<Exclude<Venue['name'], 'practice' | 'public'>, string>> = {
  testnet: 'testnet.binance.vision',
  demo: 'demo-api.binance.com',
  mainnet: 'api.binance.com',
}

const parsed = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)

/**
 * Refuses a venue that must not be contacted. Throws TD_VENUE: the practice exchange anywhere but on this machine, a
 * foreign address for one of Binance's venues, mainnet without `ALLOW_MAINNET=yes`, missing keys.
 */
export function checkVenue(venue: Venue, env: Readonly<Record<string, string | undefined>>): void {
  const refuse = (reason: string): never => {
    throw new TapedeckError('TD_VENUE', `venue ${venue.name}: ${reason}`)
  }
  if (venue.name === 'public') return refuse('nobody has an account there; orders need a venue')
  if (venue.name === 'practice') {
    if (venue.url === null || !isLoopbackOrigin(venue.url)) {
      refuse(`the practice exchange must be at a loopback origin such as http://127.0.0.1:4711, not ${venue.url ?? 'nowhere'}`)
    }
  } else if (venue.url !== null) {
    refuse(`it is only ever reached at ${HOSTS[venue.name]}, not at ${venue.url}; leave the address out`)
  }
  if (venue.name === 'mainnet' && env['ALLOW_MAINNET'] !== 'yes') {
    refuse('orders there cost real money; set ALLOW_MAINNET=yes to allow it, or use BINANCE_ENV=testnet')
  }
  const missing = [venue.apiKey === '' ? 'BINANCE_API_KEY' : '', venue.apiSecret === '' ? 'BINANCE_API_SECRET' : '']
    .filter((name) => name !== '')
  if (missing.length > 0) refuse(`${missing.join(' and ')} must be set; put the venue's own keys into the environment or .env`)
}

/** Where requests go: a venue, or a host of public data, where nobody has an account. */
export type Site = Venue

/** Origin that every request of the site goes to. */
export const originOf = ({ name, url }: Site): string =>
  name === 'practice' || name === 'public' ? url ?? '' : `https://${HOSTS[name]}`

/** Throws CallError `forbidden` before any socket opens when `url` is not at the venue. */
export function checkHost(venue: Site, url: string): void {
  const target = parsed(url)
  if (target?.origin === originOf(venue) && target.username === '' && target.password === '') return
  throw new CallError('forbidden',
    `a request to ${target?.host ?? 'an unreadable address'} was refused: ${venue.name} is only at ${originOf(venue)}`)
}
