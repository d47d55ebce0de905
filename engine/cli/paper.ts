import type { Argv } from 'yargs'
import { liveSettings } from '../config/settings.ts'
import { TapedeckError } from '../errors.ts'
import { PUBLIC_DATA, venueFrom } from '../venue.ts'
import { defineCommand } from './command.ts'
import { resolveAll } from './scenario-options.ts'
import { trade, tradingOptions, type TradingArguments } from './trading.ts'

export const paperCommand = defineCommand<TradingArguments>({
  command: 'paper <scenario>',
  describe: 'Trade a scenario by itself on paper, with live prices and no key',
  builder: (argv: Argv) =>
    tradingOptions(argv)
      .option('exchange', { type: 'string', requiresArg: true, describe: 'prices of a practice exchange that runs already, such as http://127.0.0.1:4711, instead of Binance\'s' })
      .example('$0 paper scenarios/autonomous.yaml', 'prices of Binance as they come, orders filled by the paper broker')
      .epilogue('Market orders fill at the first price of the next candle, stops and targets when 1m candles have closed. It trades until Ctrl-C or '
        + 'SIGTERM; started again, it goes on with its balance and positions.'),
  async handler(argv, terminal) {
    const { settings, env } = terminal
    const [resolution] = await resolveAll([argv.scenario], argv, terminal, liveSettings(settings))
    const venue = argv.exchange === undefined ? PUBLIC_DATA : venueFrom(settings, env, { exchange: argv.exchange })
    return trade(resolution, argv, terminal, { venue, because: null, speed: 1, onPaper: true, venueOf: (run) => { throw sellsNothing(run.run) } })
  },
})

const sellsNothing = (run: string): TapedeckError =>
  new TapedeckError('TD_USAGE', `${run}: nothing of a paper run is at any venue; start its loop, which leaves positions with the next candle`)
