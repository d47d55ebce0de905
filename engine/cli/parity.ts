import { TapedeckError } from '../errors.ts'
import { parity, type ParityResult } from '../parity.ts'
import { count, plural, utcMinute } from '../report/format.ts'
import { defineCommand } from './command.ts'
import { newestRun, runArgument, type RunArguments } from './run-argument.ts'

interface Arguments extends RunArguments {
  readonly json: boolean
}

export const parityCommand = defineCommand<Arguments>({
  command: 'parity <run>',
  describe: 'Run the backtest on the candles of a recorded run and compare every trade',
  builder: (argv) => runArgument(argv).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const directory = newestRun(argv, (line) => { terminal.note(line) }, true)
    const result = await parity(directory, terminal.world)
    if (argv.json) terminal.json(result)
    else terminal.print(text(result))
    if (result.compared === 0) {
      throw new TapedeckError('TD_REPLAY_DIFFERS', `${directory}: there is no closed trade to compare, which proves nothing; rehearse a longer tape`)
    }
    if (result.differences.length > 0) {
      throw new TapedeckError('TD_REPLAY_DIFFERS', `${directory}: ${plural(result.differences.length, 'trade')} of ${count(result.compared)} ${result.differences.length === 1 ? 'differs' : 'differ'} from the backtest`)
    }
    return 0
  },
})

function text({ candles, from, to, compared, equal, differences, signedRequests }: ParityResult): string {
  const sent = signedRequests === null ? 'a killed process did not say how many signed requests it sent' : `${plural(signedRequests, 'signed request')} went over HTTP`
  const lines = [
    differences.length === 0 ? `equal: ${plural(compared, 'trade')}, none differs` : `${plural(differences.length, 'trade')} of ${count(compared)} ${differences.length === 1 ? 'differs' : 'differ'}, ${count(equal)} are equal`,
    `  ${plural(candles, 'candle')} from ${utcMinute(from)} to ${utcMinute(to)} UTC; ${sent}`,
    '  equal = same symbol, entry and exit candle and reason; quantity, prices and fees within 1e-8; trades that the end of the tape closed are left out',
  ]
  for (const { symbol, entryTime, what, because } of differences) {
    lines.push(`  ${symbol} entered ${utcMinute(entryTime)}: ${what}`, `    ${because}`)
  }
  return lines.join('\n')
}
