import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EpochMs } from '../../engine/core/time.ts'
import { refusals } from './errors.ts'
import type { Params } from './params.ts'

const STANDARD_WINDOW = 5_000
const LONGEST_WINDOW = 60_000
/** A client's clock may be ahead by this much. */
const AHEAD_MS = 1_000

const withoutSignature = (text: string): string => text.replace(/(^|&)signature=[^&]*/, '').replace(/^&/, '')

/** HMAC-SHA256 in hex of query string and body, joined without anything between them. */
export const signatureOf = (query: string, body: string, secret: string): string =>
  createHmac('sha256', secret).update(withoutSignature(query) + withoutSignature(body)).digest('hex')

/** Refuses a request without our key. */
export function checkKey(key: string | undefined, expected: string): void {
  if (key === undefined || key === '') throw refusals.keyFormat()
  if (key !== expected) throw refusals.key()
}

export function checkSignature(params: Params, query: string, body: string, secret: string): void {
  const given = Buffer.from(params.needText('signature'))
  const expected = Buffer.from(signatureOf(query, body, secret))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refusals.signature()
}

/** Refuses a request that comes from too long ago or from the future. `serverTime`: what this exchange believes. */
export function checkTimestamp(params: Params, serverTime: EpochMs): void {
  const timestamp = params.whole('timestamp')
  if (timestamp === null) throw refusals.missing('timestamp')
  const window = Number(params.text('recvWindow') ?? STANDARD_WINDOW)
  if (!(window <= LONGEST_WINDOW)) throw refusals.recvWindow()
  if (timestamp >= serverTime + AHEAD_MS) throw refusals.aheadOfTime()
  if (serverTime - timestamp > window) throw refusals.outsideRecvWindow()
}
