import { createInterface } from 'node:readline/promises'
import type { Argv } from 'yargs'
import type { Resolution } from '../config/resolve.ts'
import { liveSettings } from '../config/settings.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { FASTEST } from '../exchange.ts'
import { flightLines, flightOf, isCleared } from '../flight-check.ts'
import { paperBlock } from '../live-broker.ts'
import type { Venue } from '../ports.ts'
import { venueFrom, venueOfRun } from '../venue.ts'
import { defineCommand } from './command.ts'
import { resolveAll } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { trade, tradingOptions, type TradingArguments } from './trading.ts'

interface Arguments extends TradingArguments {
  readonly mainnet: boolean
  readonly maxCapital?: number
  readonly speed?: number
  readonly yes: boolean
}

export const liveCommand = defineCommand<Arguments>({
  command: 'live <scenario>',
  describe: 'Trade a scenario by itself, with real orders at a venue',
  builder: (argv: Argv) =>
    tradingOptions(argv)
      .option('exchange', { type: 'string', requiresArg: true, describe: 'a practice exchange that runs already, such as http://127.0.0.1:4711' })
      .option('mainnet', { type: 'boolean', default: false, describe: 'real money: also needs BINANCE_ENV=mainnet, ALLOW_MAINNET=yes and --max-capital' })
      .option('max-capital', { type: 'number', requiresArg: true, describe: 'with --mainnet: quote that may be risked at most' })
      .option('speed', { type: 'number', requiresArg: true, describe: `simulated seconds per real second of its own practice exchange, at most ${FASTEST}; left out = 1` })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask, even if the scenario was never backtested, rehearsed and compared' })
      .example('$0 live scenarios/autonomous.yaml', 'what npm start does: testnet with keys, otherwise a practice exchange')
      .epilogue('It trades until Ctrl-C or SIGTERM. Positions keep their stop and target at the exchange; started again, it goes on.'),
  async handler(argv, terminal) {
    const { settings, env } = terminal
    const [resolution] = await resolveAll([argv.scenario], argv, terminal, liveSettings(settings))
    const { venue, because } = chooseVenue(argv, terminal)
    const speed = speedOf(argv, venue)
    checkCapital(resolution, argv, venue)
    if (venue !== null && venue.name !== 'practice') await checkFlight(resolution, argv, terminal)
    return trade(resolution, argv, terminal, {
      venue, because, speed, onPaper: false, venueOf: (run) => venueOfRun(run.record, settings, env, { mainnet: argv.mainnet }),
    })
  },
})

/** The practice exchange of this process where nobody named a venue and no key of one is set. */
function chooseVenue(argv: Arguments, { settings, env }: Terminal): { readonly venue: Venue | null; readonly because: string | null } {
  const keyless = !env['BINANCE_API_KEY'] && !env['BINANCE_API_SECRET']
  if (argv.exchange === undefined && !argv.mainnet && settings.binanceEnv !== 'mainnet' && keyless) {
    return { venue: null, because: 'BINANCE_API_KEY and BINANCE_API_SECRET are not set' }
  }
  return { venue: venueFrom(settings, env, { exchange: argv.exchange, mainnet: argv.mainnet, cap: argv.maxCapital }), because: null }
}

/** The scenario says what is risked, the command line how much a person agrees to. */
function checkCapital({ scenario }: Resolution, { maxCapital = 0, scenario: file }: Arguments, venue: Venue | null): void {
  if (venue?.name !== 'mainnet') return
  const { cash } = paperBlock(scenario, 'live trading')
  if (cash <= maxCapital) return
  throw new TapedeckError('TD_VENUE', `${file}: broker.cash is ${cash}, more than --max-capital ${maxCapital} allows; `
    + `write "broker: { name: paper, cash: ${maxCapital} }", or raise --max-capital`)
}

function speedOf({ speed: given }: Arguments, venue: Venue | null): number {
  const speed = given ?? 1
  if (!(speed > 0 && speed <= FASTEST)) throw new TapedeckError('TD_USAGE', `--speed ${speed}: expected a number above 0 and up to ${FASTEST}`)
  if (given !== undefined && venue !== null) throw new TapedeckError('TD_USAGE', '--speed is for its own practice exchange; leave it or --exchange and the keys out')
  return speed
}

/** Before orders leave this machine: what was done with exactly this scenario, and whether to trade although something was not. */
async function checkFlight({ scenario }: Resolution, { out, scenario: file, yes }: Arguments, terminal: Terminal): Promise<void> {
  const flight = flightOf(scenario, out)
  terminal.note(['Flight check', ...flightLines(flight, file).map((line) => `  ${line}`)].join('\n'))
  if (isCleared(flight) || yes) return
  if (process.stdin.isTTY !== true) {
    throw new TapedeckError('TD_USAGE', 'the flight check is not complete, and there is nobody to ask; do what it lacks, or give --yes')
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question('Trade all the same? Type yes: ', { signal: terminal.world.signal })
    if (answer.trim().toLowerCase() !== 'yes') throw new TapedeckError('TD_USAGE', 'not started; nothing was sent')
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_USAGE', `not started; nothing was sent (${messageOf(error)})`)
  } finally {
    asking.close()
  }
}
