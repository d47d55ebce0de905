import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Argv } from 'yargs'
import { openAnnouncer } from '../announce.ts'
import { prepareDecisions } from '../assemble.ts'
import { readTrail } from '../audit/reader.ts'
import type { AutonomousTrader } from '../autonomous.ts'
import { bannerOf } from '../banner.ts'
import { Cockpit } from '../cockpit.ts'
import type { Resolution } from '../config/resolve.ts'
import { liveSettings } from '../config/settings.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { FASTEST } from '../exchange.ts'
import { flightLines, flightOf, isCleared } from '../flight-check.ts'
import { paperBlock } from '../live-broker.ts'
import type { CommandHandler, Logger, Venue } from '../ports.ts'
import { pause } from '../real-clock.ts'
import { redactor } from '../recording/redaction.ts'
import type { Server } from '../server/server.ts'
import { sayingOf } from '../session/sayings.ts'
import { venueFrom, venueOfRun } from '../venue.ts'
import { version } from '../version.ts'
import { defineCommand } from './command.ts'
import { resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { wholeNumber } from './values.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: string
  readonly out: string
  readonly exchange?: string
  readonly mainnet: boolean
  readonly maxCapital?: number
  readonly speed?: number
  readonly yes: boolean
  readonly host?: string
  readonly port?: number
  readonly noServer: boolean
}

export const liveCommand = defineCommand<Arguments>({
  command: 'live <scenario>',
  describe: 'Trade a scenario by itself, with real orders at a venue',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario file, as it was backtested' }))
      .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
      .option('exchange', { type: 'string', requiresArg: true, describe: 'a practice exchange that runs already, such as http://127.0.0.1:4711' })
      .option('mainnet', { type: 'boolean', default: false, describe: 'real money: also needs BINANCE_ENV=mainnet, ALLOW_MAINNET=yes and --max-capital' })
      .option('max-capital', { type: 'number', requiresArg: true, describe: 'with --mainnet: quote that may be risked at most' })
      .option('speed', { type: 'number', requiresArg: true, describe: `simulated seconds per real second of its own practice exchange, at most ${FASTEST}; left out = 1` })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask, even if the scenario was never backtested, rehearsed and compared' })
      .option('host', { type: 'string', requiresArg: true, describe: 'address of the page, instead of HOST (127.0.0.1)' })
      .option('port', { type: 'number', requiresArg: true, describe: 'port of the page, instead of PORT (5000); 0 = any that is free' })
      .option('no-server', { type: 'boolean', default: false, describe: 'trade without a page; ends when the loop does' })
      .example('$0 live scenarios/autonomous.yaml', 'what npm start does: testnet with keys, otherwise a practice exchange')
      .epilogue('It trades until Ctrl-C or SIGTERM. Positions keep their stop and target at the exchange; started again, it goes on.'),
  async handler(argv, terminal) {
    const { settings, env } = terminal
    const [resolution] = await resolveAll([argv.scenario], argv, terminal, liveSettings(settings))
    const { venue, because } = chooseVenue(argv, terminal)
    const speed = speedOf(argv, venue)
    checkCapital(resolution, argv, venue)
    if (venue !== null && venue.name !== 'practice') await checkFlight(resolution, argv, terminal)
    const log = (await import('../bot-log.ts')).openBotLog({
      folder: 'logs', shown: { colour: process.stderr.isTTY === true && !process.env['NO_COLOR'] }, now: () => Date.now(), redact: redactor(env),
    })
    const world = { ...terminal.worldOf(argv.out), log }
    const mode = settings.autonomousMode ? 'AUTONOMOUS' : 'MANUAL'
    const cockpit = new Cockpit(resolution, world, {
      out: argv.out, venue, speed, mode, checkIntervalMs: settings.checkIntervalSeconds * 1000,
      decisions: join('logs', 'autonomous_trades.jsonl'), now: () => Date.now(),
      venueOf: (run) => venueOfRun(run.record, settings, env, { mainnet: argv.mainnet }),
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
      for (const line of bannerOf(resolution, {
        run: trader.run, continued: trader.continued, mode, venue: trader.venue, because, services: links.slice(0, -1), url: server?.url ?? null,
      })) log.info(line)
      await cockpit.start()
      announcer?.listen(commandsOf(cockpit))
      await (server === null ? trader.start() : ended(trader, terminal.world.signal, log))
    } finally {
      await cockpit.end()
      await server?.close()
      await announcer?.close()
    }
    if (server === null && trader.ending !== null && 'error' in trader.ending) throw trader.ending.error
    return 0
  },
})

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

/** fastify and what belongs to it are loaded by nobody else. */
async function openServer(cockpit: Cockpit, { host, port, out }: Arguments, { settings, env }: Terminal, log: Logger): Promise<Server> {
  const [{ startServer }, { dashboardFolder }] = await Promise.all([import('../server/server.ts'), import('../serve.ts')])
  return startServer({
    shown: cockpit, controls: cockpit, host: host ?? settings.host, port: port === undefined ? settings.port : wholeNumber('port', port, 0, 65_535),
    // The slowest check is what a quiet market is told by.
    staleMs: Math.max(180_000, 3000 * settings.checkIntervalSeconds),
    env, out, run: cockpit.trader.directory, dashboard: dashboardFolder(), version: version(), now: () => Date.now(),
    report: (error) => { log.error(`a request failed: ${messageOf(error)}`) },
  })
}

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
      for (const one of symbols) await cockpit.close(one)
      return symbols.length === 0 ? 'nothing is held' : `asked to leave ${symbols.join(', ')}`
    }
  }
}

/** The practice exchange of this process where nobody named a venue and no key of one is set. */
function chooseVenue(argv: Arguments, { settings, env }: Terminal): { readonly venue: Venue | null; readonly because: string | null } {
  const keyless = !env['BINANCE_API_KEY'] && !env['BINANCE_API_SECRET']
  if (argv.exchange === undefined && !argv.mainnet && settings.binanceEnv !== 'mainnet' && keyless) {
    return { venue: null, because: 'BINANCE_API_KEY and BINANCE_API_SECRET are not set' }
  }
  return { venue: venueFrom(settings, env, { exchange: argv.exchange, mainnet: argv.mainnet, cap: argv.maxCapital }), because: null }
}

/** The scenario says what is risked, the command line how much a person agrees to. */
function checkCapital({ scenario }: Resolution, { maxCapital = 0, scenario: file }: Arguments, venue: Venue | null): void {
  if (venue?.name !== 'mainnet') return
  const { cash } = paperBlock(scenario, 'live trading')
  if (cash <= maxCapital) return
  throw new TapedeckError('TD_VENUE', `${file}: broker.cash is ${cash}, more than --max-capital ${maxCapital} allows; `
    + `write "broker: { name: paper, cash: ${maxCapital} }", or raise --max-capital`)
}

function speedOf({ speed: given }: Arguments, venue: Venue | null): number {
  const speed = given ?? 1
  if (!(speed > 0 && speed <= FASTEST)) throw new TapedeckError('TD_USAGE', `--speed ${speed}: expected a number above 0 and up to ${FASTEST}`)
  if (given !== undefined && venue !== null) throw new TapedeckError('TD_USAGE', '--speed is for its own practice exchange; leave it or --exchange and the keys out')
  return speed
}

/** Before orders leave this machine: what was done with exactly this scenario, and whether to trade although something was not. */
async function checkFlight({ scenario }: Resolution, { out, scenario: file, yes }: Arguments, terminal: Terminal): Promise<void> {
  const flight = flightOf(scenario, out)
  terminal.note(['Flight check', ...flightLines(flight, file).map((line) => `  ${line}`)].join('\n'))
  if (isCleared(flight) || yes) return
  if (process.stdin.isTTY !== true) {
    throw new TapedeckError('TD_USAGE', 'the flight check is not complete, and there is nobody to ask; do what it lacks, or give --yes')
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question('Trade all the same? Type yes: ', { signal: terminal.world.signal })
    if (answer.trim().toLowerCase() !== 'yes') throw new TapedeckError('TD_USAGE', 'not started; nothing was sent')
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_USAGE', `not started; nothing was sent (${messageOf(error)})`)
  } finally {
    asking.close()
  }
}
