import { once } from 'node:events'
import { recordsIn } from '../session/live-directory.ts'
import { defineCommand } from './command.ts'
import { newestRun } from './run-argument.ts'
import { wholeNumber } from './values.ts'

interface Arguments {
  readonly run: string | undefined
  readonly out: string
  readonly host: string | undefined
  readonly port: number | undefined
}

export const serveCommand = defineCommand<Arguments>({
  command: 'serve [run]',
  describe: 'Show a run and the reports of all runs in a browser, without trading',
  builder: (argv) => argv
    .positional('run', { type: 'string', describe: "a run's directory, its id, or the beginning of its id; left out = the newest" })
    .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
    .option('host', { type: 'string', requiresArg: true, describe: 'address to listen at, instead of HOST (127.0.0.1)' })
    .option('port', { type: 'number', requiresArg: true, describe: 'port to listen at, instead of PORT (5000); 0 = any that is free' })
    .epilogue('A run that another process goes on with is followed. Another host than this machine\'s own needs API_TOKEN.'),
  async handler({ run, out, host, port }, terminal) {
    const { settings, env, world: { signal, log } } = terminal
    // fastify and what belongs to it are loaded by nobody else.
    const { serveRuns } = await import('../serve.ts')
    const server = await serveRuns({
      run: run === undefined ? (recordsIn(out).at(0)?.path ?? null) : newestRun({ run, out }, (line) => terminal.note(line)),
      out, host: host ?? settings.host, port: port === undefined ? settings.port : wholeNumber('port', port, 0, 65_535), env, warn: (message) => log.warn(message),
    })
    terminal.print(`Serving ${server.url} without trading; Ctrl-C ends it.`)
    if (!signal.aborted) await once(signal, 'abort')
    await server.close()
    return 0
  },
})
