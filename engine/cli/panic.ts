import { existsSync } from 'node:fs'
import { TapedeckError } from '../errors.ts'
import { panic, type Flattened, type PanicResult } from '../panic.ts'
import { isUnfinished, liveRuns, readLiveRun, type LiveRun } from '../positions.ts'
import { fixed, money, priceDecimals, quantity } from '../report/format.ts'
import { paint, span, type Line } from '../report/terminal-layout.ts'
import { hint } from '../report/hint.ts'
import { venueOfRun } from '../venue.ts'
import { defineCommand } from './command.ts'
import { lifeOf } from './positions.ts'
import { resolveRun } from './run-argument.ts'
import type { Terminal } from './terminal.ts'

interface Arguments {
  readonly run?: string
  readonly out: string
  readonly reason: string
  readonly mainnet: boolean
  readonly json: boolean
}

export const panicCommand = defineCommand<Arguments>({
  command: 'panic [run]',
  describe: 'Halt runs at once and leave every position of theirs, whoever runs them or nobody',
  builder: (argv) => argv
    .positional('run', { type: 'string',
      describe: "a run's directory, its id, or the beginning of its id; left out = all that are running or stopped" })
    .option('out', { type: 'string', requiresArg: true, default: 'runs',
      describe: 'parent folder of the run directories' })
    .option('reason', { type: 'string', requiresArg: true, default: 'panic',
      describe: 'what the runs and their trails are told' })
    .option('mainnet', { type: 'boolean', default: false,
      describe: 'runs that trade real money too; ALLOW_MAINNET=yes as well' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
    .epilogue('First every run is halted on disk, which each order is checked against; then our own pairs are '
      + 'cancelled and our own holdings sold. Orders and holdings of others stay. `tapedeck resume` lifts the halt.'),
  async handler(argv, terminal) {
    const { runs, unreadable } = chosen(argv)
    if (runs.length === 0 && unreadable.length === 0) {
      throw new TapedeckError('TD_RUN_MISSING',
        `${argv.out}: ${existsSync(argv.out) ? 'no run there is running or stopped' : 'there is no such folder'}; name one, or give its parent folder with --out`)
    }
    const { env, world } = terminal
    const results: PanicResult[] = []
    for await (const result of panic(runs, {
      reason: argv.reason, world, now: () => Date.now(),
      venueOf: (run) => venueOfRun(run.record, terminal.settings, env, { mainnet: argv.mainnet }),
    })) {
      results.push(result)
      if (!argv.json) terminal.print(paint(shown(result), terminal.colour))
    }
    if (argv.json) {
      terminal.json(results.map(({ run: { run, path, writer }, notHalted, symbols, failure, postponed, prefix }) =>
        ({ run, directory: path, pid: writer, halted: notHalted === null, notHalted, symbols, failure, postponed, prefix })))
    }
    const bad = results.filter(({ notHalted, failure }) => notHalted !== null || failure !== null)
    tellRemedies(bad, terminal)
    for (const { path, why } of unreadable) {
      terminal.note(`error: ${path} could not be looked at: ${why}; see what it holds at its venue by hand`)
    }
    return bad.length === 0 && unreadable.length === 0 ? 0 : 1
  },
})

function chosen({ run, out }: Arguments): ReturnType<typeof liveRuns> {
  if (run !== undefined) return { runs: [readLiveRun(resolveRun({ run, out }))], unreadable: [] }
  return liveRuns(out, (record) => isUnfinished({ state: String(record['state']) }))
}

function shown({ run, notHalted, symbols, failure }: PanicResult): Line[] {
  const told = symbols.filter(({ fills, cancelled, done }) => fills.length > 0 || cancelled.length > 0 || !done)
  const state = notHalted === null ? span('HALTED', 'warn') : span(`NOT HALTED: ${notHalted}`, 'down')
  const nothing = run.terms === null ? 'it never reached its venue' : 'nothing open at its venue'
  return [
    [span(`${run.run}  `, 'bold'), state, span(` · ${lifeOf(run)}`, 'soft')],
    ...told.map((symbol) => symbolLine(run, symbol)),
    ...(failure === null && told.length === 0 ? [[span('  ✓ ', 'up'), span(nothing)]] : []),
    ...(failure === null ? [] : [[span('  ✗ ', 'down'), span(failure)]]),
  ]
}

function symbolLine({ terms }: LiveRun, { symbol, cancelled, fills, done }: Flattened): Line {
  const { base, quote } = terms!.instruments[symbol]
  const digits = priceDecimals(fills.map(({ price }) => price))
  const sales = fills.map(({ side, quantity: amount, price, notional, feeQuote, reason }) => {
    const why = reason === null || reason === 'operator' ? '' : ` (${reason})`
    return `${side === 'sell' ? 'sold' : 'had bought'} ${quantity(amount)} ${base} at ${fixed(price, digits)} `
      + `= ${money(notional, quote)} ${quote}${feeQuote > 0 ? `, fee ${money(feeQuote, quote)}` : ''}${why}`
  })
  const taken = cancelled.length === 0 ? [] : [`protection cancelled (${cancelled.join(', ')})`]
  const said = [...taken, ...sales, ...(done ? [] : ['not left altogether'])].join('; ')
  return [done ? span('  ✓ ', 'up') : span('  ✗ ', 'down'), span(`${symbol}  ${said}`)]
}

function tellRemedies(bad: readonly PanicResult[], terminal: Terminal): void {
  for (const { run, notHalted, failure, postponed, prefix } of bad) {
    if (notHalted !== null) {
      const first = run.writer === null ? 'do not start it' : `stop process ${run.writer} (kill ${run.writer})`
      terminal.note(`error: ${run.run} is NOT halted: ${first}, then panic again`)
    }
    if (failure !== null && !postponed) {
      terminal.note(`error: ${run.run}: it is not certain that nothing is left: ${failure}; `
        + `run ${hint(run.path, 'panic', run.run)} again, or cancel the orders whose client id begins with ${prefix}- at ${run.venue.name} `
        + 'and sell by hand')
    }
  }
}
