import { parseEnv } from 'node:util'
import { existsSync, readFileSync } from 'node:fs'

/** `npm start`: the autonomous scenario, without questions unless real money is at stake. */
const env = { ...(existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}), ...process.env }
const { runProgram } = await import('./program.ts')
process.exitCode = await runProgram([
  'live', 'scenarios/autonomous.yaml', ...(env['BINANCE_ENV'] === 'mainnet' ? [] : ['--yes']), ...process.argv.slice(2),
])
