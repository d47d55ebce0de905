import { TapedeckError } from '../errors.ts'
import { WISH_GRAMMAR, parseWish } from '../explain/wish.ts'
import { defineCommand } from './command.ts'
import { runArgument, type RunArguments } from './run-argument.ts'
import { subjectOf } from './subject-argument.ts'
import { wholeNumber } from './values.ts'

interface Arguments extends RunArguments {
  readonly decision: string
  readonly symbol?: string
  readonly before: number
  readonly after: number
  readonly json: boolean
}

export const explainCommand = defineCommand<Arguments>({
  command: 'explain <run> <decision>',
  describe: 'Tell how one decision or trade came about, from candles to profit',
  builder: (argv) => runArgument(argv)
    .positional('decision', { type: 'string', demandOption: true, describe: 'a decision or a trade; see below' })
    .option('symbol', { type: 'string', requiresArg: true, describe: 'which one, where several symbols were decided on at a time' })
    .option('before', { type: 'number', requiresArg: true, default: 10, describe: 'candles shown up to the decision' })
    .option('after', { type: 'number', requiresArg: true, default: 4, describe: 'candles shown after it' })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON document' })
    .epilogue(`${WISH_GRAMMAR}\n\n<run> may also be a cell of a comparison: its directory, its id, or COMPARISON/CELL.`),
  async handler(argv, terminal) {
    const wish = parseWish(argv.decision)
    const around = { before: wholeNumber('before', argv.before, 1, 1000), after: wholeNumber('after', argv.after, 0, 1000) }
    const subject = subjectOf(argv, (line) => { terminal.note(line) })
    if (subject.kind === 'comparison') {
      throw new TapedeckError('TD_USAGE', `${subject.path}: a comparison decides nothing itself; name one of its cells, such as ${subject.id}/CELL`)
    }
    const { explainRun } = await import('../explain/explain.ts')
    const told = await explainRun(subject, wish, { symbol: argv.symbol ?? null, ...around }, terminal.world)
    if (argv.json) terminal.json(told)
    else terminal.print((await import('../explain/terminal.ts')).renderExplanation(told, { colour: terminal.colour, width: terminal.width }))
    return 0
  },
})
