import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { World } from '../assemble.ts'
import { readSettings, type Environment, type Settings } from '../config/settings.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { RealClock } from '../real-clock.ts'
import { plain } from '../report/text.ts'
import { ServiceBook } from '../session/service-book.ts'

/** What JSON leaves as it is and a terminal may obey: control characters beyond ASCII, marks that change the direction. */
const UNSAFE = /[\u007F-\u009F\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/g
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The process as commands see it: streams, environment, interruption. */
export class Terminal {
  /** The command line as it was given, without the program. */
  readonly args: readonly string[]
  readonly #abort = new AbortController()
  readonly #onSignal = (): void => {
    if (this.#abort.signal.aborted) {
      // The second request means now; what is half written goes first.
      for (const clean of this.#cleaners) clean()
      process.exit(130)
    }
    this.#abort.abort()
  }
  readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
    // A reader that has seen enough (`| head`) is not an error.
    if (error.code === 'EPIPE' || this.#outputLost) return
    this.#outputLost = true
    process.exitCode = this.fail(new TapedeckError('TD_RUN_WRITE',
      `the output cannot be written (${error.message}); free space`, { cause: error }))
  }
  readonly #cleaners = new Set<() => void>()
  #outputLost = false
  #env: Environment | null = null

  constructor(args: readonly string[]) {
    this.args = args
    process.on('SIGINT', this.#onSignal)
    process.on('SIGTERM', this.#onSignal)
    process.stdout.on('error', this.#onOutputError)
    // There is nobody left to tell.
    process.stderr.on('error', () => {})
  }

  dispose(): void {
    process.off('SIGINT', this.#onSignal)
    process.off('SIGTERM', this.#onSignal)
  }

  /** Run when the process has to leave at once. */
  onLeave(clean: () => void): void {
    this.#cleaners.add(clean)
  }

  /** The result did not reach whoever asked for it. */
  get outputLost(): boolean {
    return this.#outputLost
  }

  get interrupted(): boolean {
    return this.#abort.signal.aborted
  }

  /** The environment over `.env` in the working folder, where there is one. */
  get env(): Environment {
    if (this.#env === null) {
      let file: NodeJS.Dict<string> = {}
      try {
        file = parseEnv(readFileSync('.env', 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          throw new TapedeckError('TD_SETTING_INVALID', `.env: cannot be read (${messageOf(error)})`, { cause: error })
        }
      }
      this.#env = { ...file, ...process.env }
    }
    return this.#env
  }

  /** Only a person at the command line, or the environment, says where keys may go. */
  allowHosts(hosts: readonly string[]): void {
    const { TAPEDECK_ALLOWED_HOSTS: known = '' } = this.env
    this.#env = { ...this.env, TAPEDECK_ALLOWED_HOSTS: [...(known === '' ? [] : [known]), ...hosts].join(',') }
  }

  get settings(): Settings {
    return readSettings(this.env)
  }

  get world(): World {
    return {
      env: this.env,
      signal: this.#abort.signal,
      stopwatch: () => performance.now(),
      log: {
        debug: () => {},
        info: (message) => this.note(message),
        warn: (message) => this.note(`warning: ${message}`),
        error: (message) => this.note(`error: ${message}`),
      },
    }
  }

  /** The same with what runs below `out` remember of AI services; nothing is read before one is asked. */
  worldOf(out: string): World {
    return { ...this.world, services: { book: new ServiceBook(out), clock: new RealClock() } }
  }

  /** Whoever reads the result sees it at once, with the warnings in it. */
  get watched(): boolean {
    return process.stdout.isTTY === true
  }

  get colour(): boolean {
    return process.stdout.isTTY === true && !process.env['NO_COLOR']
  }

  get width(): number {
    return Math.max(60, Math.min(120, process.stdout.columns ?? 100))
  }

  /** Results go to stdout and nothing else does. */
  print(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  json(value: unknown): void {
    this.print(JSON.stringify(value, null, 2).replaceAll(UNSAFE, escaped))
  }

  /** Everything said beside the result. */
  note(text: string): void {
    // File names and reasons are data: they may not steer the terminal.
    process.stderr.write(`${text.split('\n').map(plain).join('\n')}\n`)
  }

  /** Says what went wrong and returns the exit code. A defect of Tapedeck itself shows its stack. */
  fail(error: unknown): number {
    if (error instanceof TapedeckError) {
      const [first, ...more] = error.message.split('\n')
      // Lines that only go into detail are not mistakes of their own.
      this.note([`tapedeck: ${first} [${error.code}]`, ...more.map((line) => (line.startsWith(' ') ? line : `tapedeck: ${line} [${error.code}]`))].join('\n'))
      return error.exitCode
    }
    if (this.interrupted) {
      this.note('interrupted')
      return 130
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.note(`tapedeck: unexpected error, please report it\n${stack}`)
    return 1
  }
}
