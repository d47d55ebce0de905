import { close, type Closed } from '../close.ts'
import { TapedeckError } from '../errors.ts'
import { isUnfinished, liveRuns, readLiveRun, type LiveRun } from '../positions.ts'
import { change, fixed, gain, money, priceDecimals, quantity } from '../report/format.ts'
import { hint } from '../report/hint.ts'
import { venueOfRun } from '../venue.ts'
import { defineCommand } from './command.ts'
import { resolveRun } from './run-argument.ts'

interface Arguments {
  readonly symbol: string
  readonly run?: string
  readonly out: string
  readonly timeout: number
  readonly mainnet: boolean
}

export const closeCommand = defineCommand<Arguments>({
  command: 'close <symbol>',
  describe: 'Leave one symbol, whether a process runs it or not',
  builder: (argv) => argv
    .positional('symbol', { type: 'string', demandOption: true, describe: 'such as BTC/USDT' })
    .option('run', { type: 'string', requiresArg: true,
      describe: 'the run that holds it: directory, id or the beginning of its id; left out = the only one' })
    .option('out', { type: 'string', requiresArg: true, default: 'runs',
      describe: 'parent folder of the run directories' })
    .option('timeout', { type: 'number', requiresArg: true, default: 180,
      describe: 'seconds that a running process may take to act' })
    .option('mainnet', { type: 'boolean', default: false,
      describe: 'the run trades real money; ALLOW_MAINNET=yes as well' })
    .epilogue('A running process sells at its next wake-up. Without one the run is gone on with here until it is out. '
      + 'The run then trades on as before: `tapedeck panic` is for stopping.'),
  async handler(argv, terminal) {
    if (!(argv.timeout > 0)) throw new TapedeckError('TD_USAGE', '--timeout: expected a number of seconds above 0')
    const { run, symbol } = holder(argv)
    const { env, world } = terminal
    if (run.writer !== null) terminal.note(`asking process ${run.writer}, which runs ${run.run}`)
    const closed = await close(run, symbol, {
      reason: 'closed by a person', timeoutMs: argv.timeout * 1000, world, now: () => Date.now(),
      venueOf: (one) => venueOfRun(one.record, terminal.settings, env, { mainnet: argv.mainnet }),
    })
    if (closed.outcome === 'trade') {
      terminal.print(soldText(run, symbol, closed))
      return 0
    }
    if (world.signal.aborted) return 130
    throw new TapedeckError('TD_EXCHANGE_FAILED', closed.outcome === 'refused'
      ? `${symbol} is not sold: ${closed.reason}; look at the position with ${hint(run.path, 'positions')}`
      : `${symbol} is not sold yet: ${closed.reason ?? `the run has not woken up within ${argv.timeout} s`}, `
        + `and acts when it can; ${hint(run.path, 'positions')} tells, ${hint(run.path, 'panic', run.run)} does not wait`)
  },
})

/** The run that holds the symbol. Throws TD_USAGE where there is none, or more than one. */
function holder({ symbol: text, run, out }: Arguments): { readonly run: LiveRun; readonly symbol: string } {
  const wanted = text.toUpperCase().replace('/', '')
  const runs = run !== undefined ? [readLiveRun(resolveRun({ run, out }))]
    : liveRuns(out, (record) => isUnfinished({ state: String(record['state']) })).runs
  const held = runs.flatMap((one) => one.positions.map(({ symbol }) => ({ run: one, symbol })))
  const found = held.filter(({ symbol }) => symbol.replace('/', '') === wanted)
  if (found.length === 1) return found[0]
  if (found.length > 1) {
    throw new TapedeckError('TD_USAGE',
      `${text}: ${found.length} runs hold it: ${found.map((one) => one.run.run).join(', ')}; choose one with --run`)
  }
  const others = held.length === 0 ? 'there is no open position'
    : `open are: ${held.map((one) => `${one.symbol} (${one.run.run})`).join(', ')}`
  throw new TapedeckError('TD_USAGE',
    `${text}: no ${run === undefined ? `run in ${out} holds it` : `position of ${runs[0].run}`}; ${others}`)
}

function soldText({ run, terms }: LiveRun, symbol: string, { fills, trade }: Closed): string {
  const { base, quote } = terms!.instruments[symbol]
  const { pnl, netReturn, reason } = trade as unknown as { pnl: number; netReturn: number; reason: string }
  const digits = priceDecimals(fills.map(({ price }) => price))
  const sales = fills.filter(({ side }) => side === 'sell').map(({ quantity: amount, price, notional, feeQuote }) =>
    `  sold ${quantity(amount)} ${base} at ${fixed(price, digits)} = ${money(notional, quote)} ${quote}, `
    + `fee ${money(feeQuote, quote)}`)
  const otherwise = reason === 'operator' ? '' : `, by its ${reason}, which came first`
  return [
    `${symbol} of ${run} is closed${otherwise}: ${gain(pnl, quote)} ${quote} (${change(netReturn)})`,
    ...sales,
  ].join('\n')
}
