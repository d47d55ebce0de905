import { TapedeckError } from '../../engine/errors.ts'
import type { Deps, Venue } from '../../engine/ports.ts'
import { CallError } from './call-error.ts'

/** How often a start asks for something, with pauses that double from 1 s. */
const ATTEMPTS = 5

/**
 * What a plugin must know before it can begin: failures that pass are waited out for a while. `who` is the plugin and
 * `what` the thing that is read. Throws TD_EXCHANGE_FAILED.
 */
export async function readAtStart<T>(
  who: string, what: string, { name }: Venue, { clock, signal, log }: Pick<Deps, 'clock' | 'signal' | 'log'>, read: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      const passing = error.failure === 'unknown-outcome' || error.failure === 'not-executed'
      if (!passing || attempt === ATTEMPTS || signal.aborted) {
        throw new TapedeckError('TD_EXCHANGE_FAILED',
          `${who}: ${what} could not be read from ${name}: ${error.message}; check the symbol and the connection with tapedeck doctor`,
          { cause: error })
      }
      log.warn(`${who}: ${what} could not be read from ${name} (${error.message}); trying again`)
      await clock.sleep(error.retryAfterMs ?? 1000 * 2 ** (attempt - 1), signal)
    }
  }
}
