import { TapedeckError } from '../errors.ts'
import { count } from '../report/format.ts'
import { verifyRun, type Verification } from '../verify.ts'
import { defineCommand } from './command.ts'
import { newestRun, runArgument, type RunArguments } from './run-argument.ts'

interface Arguments extends RunArguments {
  readonly json: boolean
}

export const verifyCommand = defineCommand<Arguments>({
  command: 'verify <run>',
  describe: "Check that a run's audit trail is whole and unchanged",
  builder: (argv) =>
    runArgument(argv).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const directory = newestRun(argv, (line) => { terminal.note(line) })
    const found = verifyRun(directory)
    if (argv.json) terminal.json({ directory, ...found })
    if (found.firstFault !== null) {
      const { line, what } = found.firstFault
      throw new TapedeckError('TD_REPLAY_DIFFERS', `${directory}: line ${line} of audit.jsonl: ${what}`)
    }
    if (!argv.json) terminal.print(soundText(found))
    return 0
  },
})

function soundText({ lines, chained, torn, state, endKnown }: Verification): string {
  const chain = chained ? 'chain holds' : 'seq, run and times hold; this trail has no chain, which only live runs have'
  const notes = [
    ...(state === 'running' || state === 'stopped'
      ? [`run.json says ${state}${endKnown ? '' : ', so lines missing at the end would not show'}`] : []),
    ...(torn === null ? []
      : [`a torn line of ${count(Buffer.byteLength(torn))} bytes follows: it is being written, or a crash left it`]),
  ]
  return [`sound: ${count(lines)} lines, ${chain}`, ...notes.map((note) => `  ${note}`)].join('\n')
}
