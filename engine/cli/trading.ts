import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Argv } from 'yargs'
import { openAnnouncer } from '../announce.ts'
import { prepareDecisions } from '../assemble.ts'
import { readTrail } from '../audit/reader.ts'
import type { AutonomousTrader } from '../autonomous.ts'
import { bannerOf } from '../banner.ts'
import { Cockpit } from '../cockpit.ts'
import type { Resolution } from '../config/resolve.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import { messageOf } from '../errors.ts'
import type { CommandHandler, Logger, Venue } from '../ports.ts'
import type { LiveRun } from '../positions.ts'
import { pause } from '../real-clock.ts'
import { redactor } from '../recording/redaction.ts'
import type { Leaving } from '../server/ports.ts'
import type { Server } from '../server/server.ts'
import { sayingOf } from '../session/sayings.ts'
import { version } from '../version.ts'
import { scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { wholeNumber } from './values.ts'

export interface TradingArguments extends ScenarioArguments {
  readonly scenario: string
  readonly out: string
  readonly exchange?: string
  readonly host?: string
  readonly port?: number
  readonly noServer: boolean
}

/** What every command that trades by itself can be told. */
export const tradingOptions = (argv: Argv) =>
  scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario file, as it was backtested' }))
    .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
    .option('host', { type: 'string', requiresArg: true, describe: 'address of the page, instead of HOST (127.0.0.1)' })
    .option('port', { type: 'number', requiresArg: true, describe: 'port of the page, instead of PORT (5000); 0 = any that is free' })
    .option('no-server', { type: 'boolean', default: false, describe: 'trade without a page; ends when the loop does' })

export interface Trading {
  /** null: a practice exchange of this process. */
  readonly venue: Venue | null
  /** Why it is this venue, where nobody chose it. */
  readonly because: string | null
  readonly speed: number
  readonly onPaper: boolean
  readonly venueOf: (run: LiveRun) => Venue
}

/** Trades until a person ends it, with log, messages and page. Returns the exit code; rejects with what a loop without a page fails with. */
export async function trade(
  resolution: Resolution, argv: TradingArguments, terminal: Terminal, { venue, because, speed, onPaper, venueOf }: Trading,
): Promise<number> {
  const { settings, env } = terminal
  const log = (await import('../bot-log.ts')).openBotLog({
    folder: 'logs', shown: { colour: process.stderr.isTTY === true && !process.env['NO_COLOR'] }, now: () => Date.now(), redact: redactor(env),
  })
  const world = { ...terminal.worldOf(argv.out), log }
  const mode = settings.autonomousMode ? 'AUTONOMOUS' : 'MANUAL'
  const cockpit = new Cockpit(resolution, world, {
    out: argv.out, venue, onPaper, speed, mode, checkIntervalMs: settings.checkIntervalSeconds * 1000,
    decisions: join('logs', 'autonomous_trades.jsonl'), now: () => Date.now(),
    venueOf,
  })
  const { trader } = cockpit
  cockpit.hear((line) => {
    const saying = sayingOf(line)
    if (saying !== null) log[saying.level](saying.text)
  })
  const announcer = await openAnnouncer(resolution, world, trader.run)
  if (announcer !== null) {
    // A day's summary is of the whole day, whoever traded it.
    const trail = join(trader.directory, 'audit.jsonl')
    if (existsSync(trail)) for (const { fields } of readTrail(trail).lines) announcer.remember(fields)
    cockpit.hear(announcer.see)
  }
  const server = argv.noServer ? null : await openServer(cockpit, argv, terminal, log)
  try {
    const { links } = await prepareDecisions(resolution, world)
    cockpit.knowServices(links)
    await cockpit.start()
    // Only now is it true: the run is nobody else's, and its venue has answered.
    for (const line of bannerOf(resolution, {
      run: trader.run, continued: trader.continued, mode, venue: trader.venue, onPaper, because, services: links.slice(0, -1),
      url: server?.url ?? null, openTo: isLoopbackHost(hostOf(argv, terminal)) ? null : hostOf(argv, terminal),
    })) log.info(line)
    announcer?.listen(commandsOf(cockpit))
    await (server === null ? trader.start() : ended(trader, terminal.world.signal, log))
  } finally {
    await cockpit.end()
    await server?.close()
    await announcer?.close()
  }
  if (server === null && trader.ending !== null && 'error' in trader.ending) throw trader.ending.error
  return 0
}

/** The page stays when the loop ends: people want to know why. */
async function ended(trader: AutonomousTrader, signal: AbortSignal, log: Logger): Promise<void> {
  const told = new WeakSet<object>()
  while (!signal.aborted) {
    await pause(ENDED_POLL_MS, signal)
    const { ending } = trader
    if (ending === null || told.has(ending)) continue
    told.add(ending)
    if ('error' in ending) log.error(`🤖 the loop failed: ${messageOf(ending.error)}; the page stays up, POST /api/autonomous-toggle starts it again`)
    else if (ending.result.state === 'finished') log.info('🤖 the tape of the practice exchange has come to its end; the page stays up, Ctrl-C ends it')
  }
}

const ENDED_POLL_MS = 500

const hostOf = ({ host }: TradingArguments, { settings }: Terminal): string => host ?? settings.host

/** fastify and what belongs to it are loaded by nobody else. */
async function openServer(cockpit: Cockpit, argv: TradingArguments, terminal: Terminal, log: Logger): Promise<Server> {
  const { port, out } = argv
  const { settings, env } = terminal
  const [{ startServer }, { dashboardFolder }] = await Promise.all([import('../server/server.ts'), import('../serve.ts')])
  return startServer({
    shown: cockpit, controls: cockpit, host: hostOf(argv, terminal), port: port === undefined ? settings.port : wholeNumber('port', port, 0, 65_535),
    // The slowest check is what a quiet market is told by.
    staleMs: Math.max(180_000, 3000 * settings.checkIntervalSeconds),
    env, out, run: cockpit.trader.directory, dashboard: dashboardFolder(), version: version(), now: () => Date.now(),
    report: (error) => { log.error(`a request failed: ${messageOf(error)}`) },
  })
}

const leftText = (symbol: string, left: Leaving): string =>
  (left.outcome === 'refused' ? `${symbol} is not sold: ${left.reason}`
    : left.outcome === 'sold' ? `${symbol} is sold` : `${symbol} will be sold, with the next candle at the latest`)

/** What a chat may say. */
const commandsOf = (cockpit: Cockpit): CommandHandler => async ({ act, symbol }) => {
  const { book } = cockpit
  switch (act) {
    case 'status': return `${cockpit.info().state}, ${cockpit.risk().state}; ${book.openPositions} open positions, equity ${String(book.equity)}, ${book.tradeCount} trades`
    case 'stop':
      await cockpit.stop()
      return 'the loop is stopped; positions keep their stop and target'
    case 'resume':
      await cockpit.act('resume', 'a chat')
      await cockpit.start()
      return 'the loop runs'
    case 'close': {
      const symbols = symbol === null ? book.positions.map((position) => position.symbol) : [symbol]
      const told: string[] = []
      for (const one of symbols) told.push(leftText(one, await cockpit.close(one, 'a chat')))
      return told.length === 0 ? 'nothing is held' : told.join('; ')
    }
  }
}
