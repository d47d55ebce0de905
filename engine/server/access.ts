import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Now } from './ports.ts'

const LASTS_MS = 12 * 3_600_000
/** Somebody who knows the token may log in often; the oldest login ends then. */
const MOST = 100

/** Who may come in: whoever knows the token, and browsers that have logged in with it. */
export class Access {
  readonly #digest: Buffer | null
  readonly #now: Now
  /** Digests of ids with the time at which they end: what is kept opens nothing. */
  readonly #logins = new Map<string, number>()

  constructor(token: string | null, now: Now) {
    this.#digest = token === null ? null : digest(token)
    this.#now = now
  }

  /** Without a token everybody on this machine may. */
  get open(): boolean {
    return this.#digest === null
  }

  /** In constant time, whatever the lengths. */
  knows(token: string): boolean {
    return this.#digest !== null && timingSafeEqual(digest(token), this.#digest)
  }

  /** A new login's random id; it ends after 12 hours. */
  login(): { readonly id: string; readonly seconds: number } {
    const id = randomBytes(32).toString('base64url')
    if (this.#logins.size >= MOST) this.#logins.delete(this.#logins.keys().next().value!)
    this.#logins.set(digest(id).toString('hex'), this.#now() + LASTS_MS)
    return { id, seconds: LASTS_MS / 1000 }
  }

  isLogin(id: string): boolean {
    const until = this.#logins.get(digest(id).toString('hex'))
    return until !== undefined && this.#now() < until
  }

  logout(id: string): void {
    this.#logins.delete(digest(id).toString('hex'))
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
