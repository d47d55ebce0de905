/**
 * Every operational error and every user's mistake that Tapedeck can name. `exit` is the process's exit code:
 * 1 an operation failed, 2 wrong usage or configuration, 3 a gate was not met. `ERRORS.md` documents each code.
 */
export const ERRORS = {
  TD_USAGE: { exit: 2, summary: 'The command line is wrong.' },
  TD_SCENARIO_MISSING: { exit: 2, summary: 'The scenario file cannot be read.' },
  TD_SCENARIO_INVALID: { exit: 2, summary: 'The scenario file does not follow the schema.' },
  TD_SETTING_INVALID: { exit: 2, summary: 'An environment variable has an impossible value.' },
  TD_PLUGIN_UNKNOWN: { exit: 2, summary: 'No plugin or strategy of that name exists.' },
  TD_PLUGIN_OPTIONS: { exit: 2, summary: 'A plugin or strategy got options that it does not accept.' },
  TD_RANGE_INVALID: { exit: 2, summary: 'A period or a value range is impossible.' },
  TD_FILE_MISSING: { exit: 2, summary: 'A candle file does not exist.' },
  TD_FILE_UNREADABLE: { exit: 1, summary: 'A candle file exists but cannot be read or decompressed.' },
  TD_FILE_HEADER: { exit: 1, summary: 'A candle file has missing, extra or swapped columns.' },
  TD_CANDLE_INVALID: { exit: 1, summary: 'A candle breaks a rule of the series.' },
  TD_CANDLE_GAP: { exit: 1, summary: 'Candles are missing and the scenario does not allow gaps.' },
  TD_TAPE_EMPTY: { exit: 1, summary: 'There is no candle to decide on.' },
  TD_RECORDING_MISSING: { exit: 2, summary: 'A recording of AI answers is needed and there is none.' },
  TD_RECORDING_BROKEN: { exit: 1, summary: 'A recording of AI answers is damaged or of another version.' },
  TD_RECORDING_MISS: { exit: 1, summary: 'A question was asked that is not in the recording.' },
  TD_BUDGET: { exit: 1, summary: 'The budget for AI answers is exhausted.' },
  TD_COVERAGE: { exit: 3, summary: 'Too few decisions were answered by an AI.' },
  TD_PROVIDER_FAILED: { exit: 1, summary: 'The rules gave no valid answer, or no AI service can be asked.' },
  TD_HEALTH_BROKEN: { exit: 1, summary: 'The record of how the AI services are doing is damaged.' },
  TD_RUN_WRITE: { exit: 1, summary: 'A run, a candle file or the output cannot be written.' },
  TD_RUN_MISSING: { exit: 2, summary: 'No such run exists.' },
  TD_VENUE: { exit: 2, summary: 'A venue, its keys or an opt-in is missing or refused.' },
  TD_EXCHANGE_FAILED: { exit: 1, summary: 'The exchange failed or gave an answer that cannot be used.' },
  TD_SERVER: { exit: 1, summary: 'The server cannot listen at its address.' },
  TD_QUERY: { exit: 2, summary: 'A query over audit trails is wrong or refused.' },
  TD_TRAIL_BROKEN: { exit: 1, summary: 'An audit trail is damaged.' },
  TD_LOCKED: { exit: 1, summary: 'Another process holds the run or the account.' },
  TD_REPLAY_DIFFERS: { exit: 3, summary: 'A replay, a parity check or a verification found a difference.' },
  TD_CHECK_FAILED: { exit: 3, summary: 'A strategy sees values that move when the tape is cut elsewhere.' },
} as const

export type ErrorCode = keyof typeof ERRORS

/** A coded error: one line that says what, where, what was expected and what to do. The original error is kept as `cause`. */
export class TapedeckError extends Error {
  readonly code: ErrorCode
  override readonly name = 'TapedeckError'

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  get exitCode(): number {
    return ERRORS[this.code].exit
  }
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
