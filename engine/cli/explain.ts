import { didYouMean } from '../core/suggest.ts'
import { either } from '../expectation.ts'
import type { Command } from './command.ts'

const nameOf = ({ command }: Command<never>): string => command.split(' ')[0]

/** What the command line names: `tapedeck data synth`, what may follow it, and the first word that is no command. */
interface Named {
  readonly words: readonly string[]
  readonly command: Command<never> | null
  readonly next: readonly Command<never>[]
  readonly stranger: string | undefined
}

function named(args: readonly string[], commands: readonly Command<never>[]): Named {
  const words = ['tapedeck']
  let command: Command<never> | null = null
  let next = commands
  for (const arg of args) {
    if (arg.startsWith('-')) continue
    const found = next.find((one) => nameOf(one) === arg)
    if (found === undefined) return { words, command, next, stranger: arg }
    words.push(arg)
    command = found
    next = found.subcommands ?? []
  }
  return { words, command, next, stranger: undefined }
}

/** yargs says what is wrong; the user is told where, what was probably meant and where help is. */
export function explain(
  message: string, args: readonly string[], commands: readonly Command<never>[], flags: readonly string[],
): string {
  const { words, command, next, stranger } = named(args, commands)
  const place = words.slice(1).join(' ')
  const help = `\`${words.join(' ')} --help\` shows what there is.`
  const unknown = unknownFlags(args, flags)
  if (unknown.length > 0) return `${unknown.join(' ')} ${help}`
  if (next.length > 0) {
    const names = next.map(nameOf)
    return stranger === undefined
      ? `${place === '' ? '' : `${place}: `}name a command: ${either(names)}. ${help}`
      : `unknown command "${stranger}".${didYouMean(stranger, names)} ${help}`
  }
  return `${place}: ${reason(message, command)} ${help}`
}

function reason(message: string, command: Command<never> | null): string {
  const [, extra] = /^Unknown (?:argument|command)s?: (.+)$/.exec(message) ?? []
  if (extra !== undefined) return `unexpected "${extra.split(', ').join('", "')}".`
  if (message.startsWith('Not enough non-option arguments')) {
    const [, positional = 'argument'] = /<(\w+)/.exec(command?.command ?? '') ?? []
    return `the ${positional} is missing.`
  }
  const [, required] = /^Missing required arguments?: (.+)$/.exec(message) ?? []
  if (required !== undefined) return `${dashed(required)} ${required.includes(',') ? 'are' : 'is'} missing.`
  const [, valueless] = /^Not enough arguments following: (.+)$/.exec(message) ?? []
  if (valueless !== undefined) return `${dashed(valueless)} needs a value.`
  const [, name, value, choices] = /Argument: (.+?), Given: (.+?), Choices: (.+)$/m.exec(message) ?? []
  if (name !== undefined) return `--${name}: expected ${either(choices.replaceAll('"', '').split(', '))}, got ${value}.`
  return message.replaceAll('\n', ' ')
}

const dashed = (names: string): string => names.split(', ').map((name) => `--${name}`).join(', ')

function unknownFlags(args: readonly string[], flags: readonly string[]): string[] {
  const end = args.indexOf('--')
  const known = flags.filter((flag) => flag.length > 1).map((flag) => `--${flag}`)
  return (end < 0 ? args : args.slice(0, end))
    // A number after a flag is its value, however negative.
    .filter((arg) => /^--?[^-\d.]/.test(arg))
    .map((arg) => arg.split('=')[0])
    .filter((arg) => !flags.includes(arg.replace(/^--?/, '')))
    .map((arg) => `unknown flag ${arg}.${didYouMean(arg, known)}`)
}
