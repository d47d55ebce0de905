import { existsSync } from 'node:fs'
import { change, gain, fixed, plural, priceDecimals, quantity, utcMinute } from '../report/format.ts'
import { hintIn } from '../report/hint.ts'
import { paint, span, type Line } from '../report/terminal-layout.ts'
import { isUnfinished, liveRuns, type LiveRun, type OpenPosition } from '../positions.ts'
import { recordsIn } from '../session/live-directory.ts'
import { defineCommand } from './command.ts'

interface Arguments {
  readonly out: string
  readonly all: boolean
  readonly json: boolean
}

export const positionsCommand = defineCommand<Arguments>({
  command: 'positions',
  describe: 'Show open positions of runs on the live path, from their trails alone',
  builder: (argv) => argv
    .option('out', { type: 'string', requiresArg: true, default: 'runs',
      describe: 'parent folder of the run directories' })
    .option('all', { type: 'boolean', default: false, describe: 'also those of runs that have finished' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
    .epilogue('No venue is asked: what happened there while no process ran is known once the run goes on.'),
  async handler({ out, all, json }, terminal) {
    const { runs, unreadable } = liveRuns(out, (record) => all || isUnfinished({ state: String(record['state']) }))
    const held = runs.filter(({ positions }) => positions.length > 0)
    if (json) {
      terminal.json({
        positions: held.flatMap((run) => run.positions.map((position) => ({
          run: run.run, directory: run.path, state: run.state, pid: run.writer, halted: run.halted, venue: run.venue,
          ...position,
        }))),
        entering: runs.flatMap(({ run, path, entering }) =>
          entering.map((symbol) => ({ run, directory: path, symbol }))),
        runs: runs.length, unreadable,
      })
    } else if (held.length === 0) {
      terminal.print(nothingOpen(out, runs.length, all))
    } else {
      const lines = held.flatMap((run) => run.positions.flatMap((position) => shown(run, position)))
      terminal.print(paint(lines.slice(0, -1), terminal.colour))
    }
    for (const { run, entering } of json ? [] : runs) {
      for (const symbol of entering) {
        terminal.print(`${symbol}  an entry of ${run} is under way: the trail does not tell yet what became of it`)
      }
    }
    for (const { path, why } of unreadable) terminal.note(`warning: ${path} is left out: ${why}`)
    return unreadable.length === 0 ? 0 : 1
  },
})

function nothingOpen(out: string, runs: number, all: boolean): string {
  if (!existsSync(out)) return `No open position: there is no folder ${out}; give the one that holds the runs with --out.`
  const which = `${runs === 1 ? 'is' : 'are'} ${all ? 'on the live path' : 'running or stopped'}`
  const none = `No open position: ${plural(runs, 'run')} in ${out} ${which}.`
  const over = all ? 0 : recordsIn(out)
    .filter(({ record }) => record['venue'] !== undefined && !isUnfinished({ state: String(record['state']) })).length
  return over === 0 ? none : `${none}\n  ${plural(over, 'run')} came to the end: ${hintIn(out, 'positions', '--all')}`
}

function shown(run: LiveRun, position: OpenPosition): Line[] {
  const { symbol, quote, entryPrice, entryTime, stop, target, price, ageMs, unrealised, unrealisedShare } = position
  const digits = priceDecimals([entryPrice, price, stop ?? 0, target ?? 0])
  const level = (value: number | null): string => (value === null ? 'none' : fixed(value, digits))
  return [
    [span(`${symbol}  ${quantity(position.quantity)} ${symbol.split('/')[0]}  `, 'bold'),
      span(`${gain(unrealised, quote)} ${quote} (${change(unrealisedShare)})`, unrealised < 0 ? 'down' : 'up')],
    [span(`  entered ${utcMinute(entryTime)} UTC at ${fixed(entryPrice, digits)}, ${ageText(ageMs)} ago; `
      + `newest close ${fixed(price, digits)}`)],
    [span(`  stop ${level(stop)}   target ${level(target)}`)],
    [span(`  ${run.run} at ${run.venue.name}: ${lifeOf(run)}`, run.writer === null ? 'warn' : undefined),
      ...(run.halted === null ? [] : [span(`; HALTED: ${run.halted}`, 'warn')])],
    [],
  ]
}

/** Whether anybody looks after a run. */
export function lifeOf({ writer, state }: LiveRun): string {
  if (writer !== null) return `process ${writer} runs it`
  return state === 'running' ? 'it crashed, no process runs it' : `${state}, no process runs it`
}

/** `3 d 4 h`, `12 min`. */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)]
  if (days > 0) return hours === 0 ? `${days} d` : `${days} d ${hours} h`
  return hours > 0 ? `${hours} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}` : `${minutes} min`
}
