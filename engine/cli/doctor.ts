import { SYMBOL } from '../config/settings.ts'
import { examine, type Check } from '../doctor.ts'
import { TapedeckError } from '../errors.ts'
import { item, paint, type Line } from '../report/terminal-layout.ts'
import { plural } from '../report/format.ts'
import { venueFrom } from '../venue.ts'
import { defineCommand } from './command.ts'

interface Arguments {
  readonly exchange?: string
  readonly symbol?: readonly string[]
  readonly out: string
  readonly mainnet: boolean
  readonly maxCapital?: number
  readonly json: boolean
}

export const doctorCommand = defineCommand<Arguments>({
  command: 'doctor',
  describe: 'Check everything that trading depends on, without sending an order',
  builder: (argv) => argv
    .option('exchange', { type: 'string', requiresArg: true,
      describe: 'a practice exchange, such as http://127.0.0.1:4711; left out = what BINANCE_ENV says' })
    .option('symbol', { type: 'string', array: true, requiresArg: true,
      describe: 'what is to be traded; left out = SYMBOL, or BTC/USDT' })
    .option('out', { type: 'string', requiresArg: true, default: 'runs',
      describe: 'parent folder of the run directories' })
    .option('mainnet', { type: 'boolean', default: false,
      describe: 'look at the venue with real money; ALLOW_MAINNET=yes and --max-capital as well' })
    .option('max-capital', { type: 'number', requiresArg: true,
      describe: 'the most that may be risked there, in quote' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
    .epilogue('✓ is well, ✗ would make trading fail, – is worth knowing. Exit code 1 when there is a ✗.'),
  async handler(argv, terminal) {
    const { settings, env, world } = terminal
    const symbols = argv.symbol ?? [settings.symbol ?? 'BTC/USDT']
    const odd = symbols.find((symbol) => !SYMBOL.test(symbol))
    if (odd !== undefined) {
      throw new TapedeckError('TD_USAGE',
        `--symbol ${odd}: expected BASE/QUOTE in capitals, such as BTC/USDT`)
    }
    const checks = await examine({
      settings, world, symbols, out: argv.out,
      venue: () => venueFrom(settings, env, { exchange: argv.exchange, mainnet: argv.mainnet, cap: argv.maxCapital }),
    })
    const ill = checks.filter(({ ok }) => ok === false).length
    if (argv.json) terminal.json({ well: ill === 0, checks })
    else {
      const width = Math.max(...checks.map(({ name }) => name.length))
      terminal.print(paint(checks.flatMap((one) => lines(one, width, terminal.width)), terminal.colour))
      terminal.print(ill === 0 ? '\nAll is well.' : `\n${plural(ill, 'thing')} would make trading fail.`)
    }
    return ill === 0 ? 0 : 1
  },
})

const MARKS = { true: ['✓', 'up'], false: ['✗', 'down'], null: ['–', 'soft'] } as const

function lines({ name, ok, detail }: Check, names: number, width: number): Line[] {
  const [mark, ink] = MARKS[`${ok}`]
  return item(`${mark} ${name.padEnd(names)} `, detail, width, ink)
}
