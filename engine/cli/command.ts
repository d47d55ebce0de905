import type { Argv } from 'yargs'
import type { Terminal } from './terminal.ts'

/** A command of the program. The handler returns the exit code. */
export interface Command<A> {
  readonly command: string
  readonly describe: string
  readonly builder: (argv: Argv) => Argv<unknown>
  /** The end of its help text, where that has to be loaded first. */
  readonly epilogue?: () => Promise<string>
  readonly handler: (argv: A, terminal: Terminal) => Promise<number>
  readonly subcommands?: readonly Command<never>[]
}

export const defineCommand = <A>(command: Command<A>): Command<A> => command
