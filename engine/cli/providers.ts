import type { Argv } from 'yargs'
import { isoTime } from '../core/time.ts'
import { refusal } from '../pipeline/provider-health.ts'
import { tryService, type TrialResult } from '../provider-trial.ts'
import { disable, enable, serviceStatus, type ServiceStatus } from '../providers.ts'
import { count, duration, percent, trimmed, UNDEFINED, usd, utcMinute } from '../report/format.ts'
import { hintIn } from '../report/hint.ts'
import { item, paint, span, table, type Ink, type Line } from '../report/terminal-layout.ts'
import { ServiceBook } from '../session/service-book.ts'
import { defineCommand, type Command } from './command.ts'
import { ageText } from './positions.ts'
import { allowHost, resolveAll, type ScenarioArguments } from './scenario-options.ts'

interface Shared {
  readonly out: string
  readonly json: boolean
}

const shared = (argv: Argv): Argv<unknown> => argv
  .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'folder that keeps the health of services' })
  .option('json', { type: 'boolean', default: false, describe: 'print JSON' })

const named = (argv: Argv): Argv<unknown> =>
  shared(argv.positional('name', { type: 'string', demandOption: true, describe: 'an AI service, such as gemini' }))

const enableCommand: Command<Shared & { readonly name: string }> = {
  command: 'enable <name>',
  describe: 'Let a service be asked again, also by runs that are under way',
  builder: named,
  async handler({ name, out, json }, terminal) {
    const book = new ServiceBook(out)
    const { state } = await enable(name, book, Date.now())
    if (json) terminal.json({ name, before: state, state: book.read(name).state })
    else terminal.print(state === 'ACTIVE' ? `${name} is enabled already.` : `${name} is enabled; it was ${state}.`)
    return 0
  },
}

const disableCommand: Command<Shared & { readonly name: string; readonly reason: string }> = {
  command: 'disable <name>',
  describe: 'Ask a service no more until it is enabled, also in runs that are under way',
  builder: (argv) => named(argv).option('reason', { type: 'string', requiresArg: true, default: 'disabled by hand',
    describe: 'told wherever it is left out' }),
  async handler({ name, reason, out, json }, terminal) {
    const health = await disable(name, reason, new ServiceBook(out), terminal.world, Date.now())
    if (json) terminal.json({ name, state: health.state, reason: health.reason })
    else terminal.print(`${name} is disabled until \`${hintIn(out, 'providers', 'enable', name)}\`: ${health.reason}`)
    return 0
  },
}

const testCommand: Command<Shared & { readonly name: string; readonly model?: string; readonly baseUrl?: string }> = {
  command: 'test <name>',
  describe: 'Ask a service one real question about a made-up candle; costs a fraction of a cent',
  builder: (argv) => named(argv)
    .option('model', { type: 'string', requiresArg: true, describe: 'as the service names it; left out = the default' })
    .option('base-url', { type: 'string', requiresArg: true, describe: 'another server; it is sent the key' }),
  async handler({ name, model = null, baseUrl = null, out, json }, terminal) {
    const result = await tryService(name, { model, baseURL: baseUrl }, new ServiceBook(out), terminal.world)
    if (json) terminal.json(result)
    else terminal.print(paint(trialLines(result, terminal.width), terminal.colour))
    return result.failure === null ? 0 : 1
  },
}

export const providersCommand = defineCommand<Shared & ScenarioArguments & { readonly scenario?: string }>({
  command: 'providers',
  describe: 'Show how the AI services are doing; switch them off and on, try them',
  subcommands: [enableCommand, disableCommand, testCommand],
  builder: (argv) => allowHost(shared(argv))
    .option('scenario', { type: 'string', requiresArg: true, describe: 'take order and options from this file; left out = the default chain' })
    .epilogue('Nobody is asked, except by test. Health and costs are counted over all runs of the folder.'),
  async handler({ scenario, allowHost: hosts, out, json }, terminal) {
    const book = new ServiceBook(out)
    const chain = scenario === undefined ? { backups: terminal.settings.enableBackupApis }
      : (await resolveAll([scenario], hosts === undefined ? {} : { allowHost: hosts }, terminal))[0]
    const services = await serviceStatus(book, terminal.world, chain)
    const now = Date.now()
    if (json) terminal.json({ services: services.map((one) => documentOf(one, now)), spentTodayUsd: book.spentToday(now), file: book.path })
    else terminal.print(paint(statusLines(services, book, { out, now, width: terminal.width }), terminal.colour))
    return 0
  },
})

const iso = (time: number | null): string | null => (time === null ? null : isoTime(time))

function documentOf({ name, priority, model, lacks, fault, health, asked, successRate, p50, p95 }: ServiceStatus, now: number): object {
  const { state, reason, since, until, successes, errors, inputTokens, outputTokens, costUsd, lastUsed } = health
  return {
    name, priority, model, lacks, fault, state, mayBeAsked: lacks === null && fault === null && refusal(health, now) === null,
    reason, since: state === 'ACTIVE' ? null : iso(since), until: iso(until), asked, successes, successRate, errors,
    latencyMs: { p50, p95 }, tokens: { input: inputTokens, output: outputTokens }, costUsd, lastUsed: iso(lastUsed),
  }
}

const short = (tokens: number): string =>
  (tokens < 10_000 ? count(tokens) : tokens < 1e6 ? `${trimmed(tokens / 1e3, 1)} k` : `${trimmed(tokens / 1e6, 2)} M`)
const ms = (value: number | null): string => (value === null ? UNDEFINED : value < 1000 ? `${count(value)} ms` : `${trimmed(value / 1000, 1)} s`)

/** Columns from the most to the least needed: what a narrow terminal has no room for is in the JSON. */
const COLUMNS: readonly (readonly [string, (status: ServiceStatus, now: number) => string])[] = [
  ['state', ({ lacks, fault, health }) => (health.state !== 'ACTIVE' ? health.state : fault !== null ? 'SET UP WRONG' : lacks !== null ? 'NO KEY' : 'ACTIVE')],
  ['success', ({ successRate, asked }) => (asked === 0 ? UNDEFINED : `${percent(successRate, 1)} of ${count(asked)}`)],
  ['cost', ({ health, asked }) => (asked === 0 && health.costUsd === 0 ? UNDEFINED : usd(health.costUsd))],
  ['last used', ({ health }, now) => (health.lastUsed === null ? 'never' : `${ageText(now - health.lastUsed)} ago`)],
  ['p50', ({ p50 }) => ms(p50)],
  ['p95', ({ p95 }) => ms(p95)],
  ['tokens in/out', ({ health }) => `${short(health.inputTokens)}/${short(health.outputTokens)}`],
]
const NARROW = 95
const NAME_WIDTH = 14

interface View {
  readonly out: string
  readonly now: number
  readonly width: number
}

function statusLines(services: readonly ServiceStatus[], book: ServiceBook, view: View): Line[] {
  const columns = view.width < NARROW ? COLUMNS.slice(0, 4) : COLUMNS
  const rows = [
    [[span('   service'.padEnd(NAME_WIDTH), 'soft')], ...columns.map(([title]) => [span(title, 'soft')])],
    ...services.map((status) => [
      [span(`${String(status.priority ?? '').padStart(2)} ${status.name}`.padEnd(NAME_WIDTH))],
      ...columns.map(([title, text]) => [span(text(status, view.now), title === 'state' ? inkOf(status) : undefined)]),
    ]),
  ]
  const widest = Math.max(...rows.map((row) => row.reduce((sum, [{ text }]) => sum + text.length + 2, 0)))
  return [
    ...table(rows, Math.min(view.width, widest + 8)), [],
    ...services.flatMap((status) => remarks(status, view)),
    [span(`Spent today (UTC): ${usd(book.spentToday(view.now))} by all runs in ${view.out}.`)],
  ]
}

const inkOf = ({ lacks, fault, health }: ServiceStatus): Ink =>
  (fault !== null || health.state === 'DISABLED' ? 'down' : lacks !== null || health.state === 'COOLING' ? 'warn' : 'up')

/** What a row has no room for: errors by class, and why a service is not asked. */
function remarks({ name, lacks, fault, health }: ServiceStatus, { out, now, width }: View): Line[] {
  const { state, reason, since, until, errors } = health
  const kinds = Object.entries(errors).map(([kind, times]) => `${kind} ${count(times)}`)
  const till = until === null ? `until \`${hintIn(out, 'providers', 'enable', name)}\``
    : until <= now ? 'the next question finds out whether it is back' : `it is tried again at ${utcMinute(until)} UTC`
  return [
    ...(fault === null ? [] : item('✗', fault, width, 'down')),
    ...(lacks === null ? [] : item('–', `${name} is left out: ${lacks} is not set`, width, 'warn')),
    ...(state === 'ACTIVE' ? [] : item('✗', `${name} is ${state}${since === null ? '' : ` since ${utcMinute(since)} UTC`}: ${reason ?? 'for no reason that is known'}; ${till}`, width, 'down')),
    ...(kinds.length === 0 ? [] : item('–', `${name} failed: ${kinds.join(', ')}`, width, 'soft')),
  ]
}

function trialLines({ provider, model, answer, failure, latencyMs, inputTokens, outputTokens, costUsd }: TrialResult, width: number): Line[] {
  const who = `${provider}${model === null ? '' : ` (${model})`}`
  const cost = inputTokens + outputTokens === 0 ? 'nothing was counted'
    : `${count(inputTokens)} tokens in, ${count(outputTokens)} out, ${costUsd === null ? 'at a price that is not known' : usd(costUsd)}`
  const sum: Line = [span(`  after ${duration(latencyMs)}; ${cost}`)]
  if (failure !== null) {
    return [...item('✗', `${who} failed (${failure.kind}): ${failure.message}`, width, 'down'), ...item('  what to do:', failure.remedy, width), sum]
  }
  const version = answer!.modelVersion === undefined || answer!.modelVersion === model ? '' : `, as ${answer!.modelVersion}`
  return [
    ...item('✓', `${who} answered${version}: ${answer!.action} with confidence ${trimmed(answer!.confidence, 4)}`, width, 'up'),
    ...item(' ', answer!.reasoning, width, 'soft'), sum,
  ]
}
