import { TapedeckError } from '../errors.ts'
import { replay } from '../replay.ts'
import { count, plural } from '../report/format.ts'
import { changed } from '../verify.ts'
import { defineCommand } from './command.ts'
import { newestRun, runArgument, type RunArguments } from './run-argument.ts'

interface Arguments extends RunArguments {
  readonly json: boolean
}

export const replayCommand = defineCommand<Arguments>({
  command: 'replay <run>',
  describe: 'Make every decision of a recorded run again and compare each line',
  builder: (argv) => runArgument(argv).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const directory = newestRun(argv, (line) => { terminal.note(line) }, true)
    const result = await replay(directory, terminal.world)
    if (argv.json) terminal.json(result)
    if (result.difference !== null) {
      const { line, recorded, replayed } = result.difference
      throw new TapedeckError('TD_REPLAY_DIFFERS',
        `${directory}: line ${line} of audit.jsonl differs after ${count(result.decisions)} identical decisions\nrecorded: ${recorded}\nreplayed: ${replayed}`)
    }
    if (result.fault !== null) throw changed(directory, result.fault)
    if (!argv.json) {
      terminal.print(`identical: ${plural(result.decisions, 'decision')}\n  ${count(result.lines - result.notes)} lines came out byte by byte`
        + `${result.notes === 0 ? '' : `; ${plural(result.notes, 'note')} of plugins and restarts stood between them`}`
        + `${result.restarts === 0 ? '' : `, over ${plural(result.restarts, 'restart')}`}`)
    }
    return 0
  },
})
