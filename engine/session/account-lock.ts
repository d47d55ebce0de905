import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, TapedeckError } from '../errors.ts'
import type { Venue } from '../ports.ts'
import { ProcessLock } from './process-lock.ts'
import { makeFolder } from './run-directory.ts'

export interface AccountLock {
  /** Safe to call twice. */
  release(): void
}

/** Temporary files that nobody touches for some days are tidied away on many systems, and bots run for longer. */
const TOUCH_EVERY_MS = 6 * 3_600_000
const FOLDER = 'tapedeck-locks'

/** Where an account is: practice exchanges have one each. */
export const accountPlace = ({ name, url }: Pick<Venue, 'name' | 'url'>): string =>
  (url === null ? name : `${name}-${new URL(url).port}`)

/** Begins the names of all locks of an account. */
const accountPrefix = (venueName: string, apiKey: string): string =>
  `${venueName}-${createHash('sha256').update(apiKey).digest('hex').slice(0, 12)}-`

/** A market as file names and Binance write it, such as BTCUSDT. */
const marketOf = (symbol: string): string => symbol.replaceAll(/[^A-Za-z0-9]/g, '')

/**
 * One process per account and symbol: two would count each other's fills as their own. `symbols` such as BTC/USDT.
 * Throws TD_LOCKED, naming the process and the symbol; then nothing is held. A dead process's lock is taken over at
 * once.
 */
export function lockAccount(venueName: string, apiKey: string, symbols: readonly string[]): AccountLock {
  const folder = lockFolder()
  const prefix = accountPrefix(venueName, apiKey)
  const held: ProcessLock[] = []
  const release = (): void => {
    for (const lock of held.splice(0)) lock.release()
  }
  // In one order for everybody, so that two of several symbols each do not both give up halfway.
  for (const symbol of [...new Set(symbols)].sort()) {
    const lock = take(join(folder, `${prefix}${marketOf(symbol)}`), symbol, release)
    if (typeof lock === 'number') {
      release()
      throw new TapedeckError('TD_LOCKED',
        `${symbol}: process ${lock} already trades it with this ${venueName} account; `
        + 'stop that process, or give this one another symbol or account')
    }
    held.push(lock)
  }
  const timer = setInterval(() => {
    for (const lock of held) lock.touch(new Date())
  }, TOUCH_EVERY_MS)
  timer.unref()
  return {
    release: () => {
      clearInterval(timer)
      release()
    },
  }
}

/** Markets that living processes trade with the account, such as BTCUSDT. Nothing is changed. */
export function heldMarkets(
  venueName: string, apiKey: string,
): readonly { readonly market: string; readonly pid: number }[] {
  const folder = join(tmpdir(), FOLDER)
  const prefix = accountPrefix(venueName, apiKey)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((entry) => entry.startsWith(prefix))
    .flatMap((entry) => /^(.+)\.\d+\.pid$/.exec(entry)?.[1] ?? [])
  return [...new Set(names)].sort().flatMap((name) => {
    const pid = ProcessLock.holder(join(folder, name))
    return pid === null ? [] : [{ market: name.slice(prefix.length), pid }]
  })
}

function take(base: string, symbol: string, release: () => void): ProcessLock | number {
  try {
    return ProcessLock.take(base)
  } catch (error) {
    release()
    throw new TapedeckError('TD_RUN_WRITE',
      `${symbol}: cannot lock the account in ${base} (${messageOf(error)}); make that folder writable, or set TMPDIR`,
      { cause: error })
  }
}

function lockFolder(): string {
  const folder = join(tmpdir(), FOLDER)
  try {
    makeFolder(folder)
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE',
      `${folder}: cannot be made (${messageOf(error)}); make its parent writable, or set TMPDIR`, { cause: error })
  }
  try {
    // Bots of other users of this machine may share the account.
    chmodSync(folder, 0o1777)
  } catch {
    // It belongs to one of them, who has done it.
  }
  return folder
}
