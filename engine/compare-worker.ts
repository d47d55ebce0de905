import { Board, type JobData, type JobResult } from './compare-jobs.ts'
import { playPass } from './compare-pass.ts'
import { messageOf, TapedeckError } from './errors.ts'

/** One pass in a thread of its own. Errors come back as data, since their class would not. */
export default async function work({ request, env, board, place }: JobData): Promise<JobResult> {
  const own = new Board(board, place)
  const abort = new AbortController()
  const look = (share: number): void => {
    own.tell(share)
    if (own.stopped) abort.abort()
  }
  look(0)
  const silent = (): void => {}
  try {
    const cells = await playPass(request, {
      env, signal: abort.signal, stopwatch: () => performance.now(), log: { debug: silent, info: silent, warn: silent, error: silent },
    }, { onProgress: look, now: () => Date.now() })
    own.tell(1)
    return { cells }
  } catch (error) {
    const code = error instanceof TapedeckError ? error.code : null
    return { failed: { code, message: code === null && error instanceof Error ? (error.stack ?? error.message) : messageOf(error), aborted: abort.signal.aborted } }
  }
}
