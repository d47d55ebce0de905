import { TapedeckError } from '../errors.ts'
import { parity, type ParityResult } from '../parity.ts'
import { count, plural, quantity, utcMinute } from '../report/format.ts'
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
    else if (result.compared > 0 || result.differences.length > 0) terminal.print(text(result))
    if (result.compared === 0 && result.differences.length === 0) {
      throw new TapedeckError('TD_REPLAY_DIFFERS', `${directory}: there is no closed trade to compare${heldText(result)}, which proves nothing; rehearse a longer tape`)
    }
    if (result.differences.length > 0) {
      throw new TapedeckError('TD_REPLAY_DIFFERS', `${directory}: ${verdict(result)} from the backtest`)
    }
    return 0
  },
})

function text(result: ParityResult): string {
  const { candles, from, to, compared, equal, differences, signedRequests, publicRequests, requestsComplete } = result
  const least = requestsComplete ? '' : 'at least '
  const lines = [
    differences.length === 0 ? `equal: ${plural(compared, 'trade')}, none differs` : `${verdict(result)}, ${count(equal)} are equal`,
    `  ${plural(candles, 'candle')} from ${utcMinute(from)} to ${utcMinute(to)} UTC; ${least}${plural(signedRequests, 'signed request')} and ${least}${count(publicRequests)} public ones went over HTTP`,
    ...(requestsComplete ? [] : ['  a process that was killed did not say how many it had sent']),
    '  equal = same symbol, entry and exit candle and reason; quantity, prices and fees within 1e-8; trades that the end of the tape closed are left out',
    ...(result.held.length === 0 ? [] : [`  no trade yet${heldText(result)}`]),
  ]
  for (const { symbol, entryTime, what, because } of differences) {
    lines.push(`  ${symbol} entered ${utcMinute(entryTime)}: ${what}`, `    ${because}`)
  }
  return lines.join('\n')
}

/** A position that one side only holds is a difference, but no trade that could be compared. */
function verdict({ compared, differences: { length } }: ParityResult): string {
  const verb = length === 1 ? 'differs' : 'differ'
  return compared < length ? `${plural(length, 'position')} ${verb}` : `${plural(length, 'trade')} of ${count(compared)} ${verb}`
}

const heldText = ({ held }: ParityResult): string => (held.length === 0 ? '' : ` (still held at the end: ${held
  .map(({ symbol, entryTime, quantity: held }) => `${quantity(held)} ${symbol.split('/')[0]} since ${utcMinute(entryTime)}`).join(', ')})`)
