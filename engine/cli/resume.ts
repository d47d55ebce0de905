import { TapedeckError } from '../errors.ts'
import { isUnfinished, readLiveRun } from '../positions.ts'
import { resume } from '../session/operator-box.ts'
import { defineCommand } from './command.ts'
import { resolveRun, runArgument, type RunArguments } from './run-argument.ts'

export const resumeCommand = defineCommand<RunArguments>({
  command: 'resume <run>',
  describe: 'Let a halted run trade again; limits start afresh',
  builder: (argv) => runArgument(argv),
  async handler(argv, terminal) {
    const path = resolveRun(argv)
    const run = readLiveRun(path)
    if (!isUnfinished(run)) {
      throw new TapedeckError('TD_USAGE',
        `${run.run}: it has ${run.state}; there is nothing to resume`)
    }
    if (run.halted === null) {
      terminal.print(`${run.run} is not halted.`)
      return 0
    }
    resume(path, 'tapedeck resume', Date.now())
    terminal.print(`${run.run} may trade again; it was halted: ${run.halted}`)
    terminal.print(run.writer === null
      ? '  No process runs it: it counts from the moment in which the run is gone on with.'
      : `  Process ${run.writer} takes note at its next wake-up.`)
    return 0
  },
})
