import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scenario, workspace, type Workspace } from '../support/cli.ts'
import { root } from '../support/shared.ts'

const RECORDER = pathToFileURL(join(root, 'test/support/record-modules.mjs')).href

/** Runs the program and returns what it loaded: packages by name, and the project's own files from its root. */
async function loads(here: Workspace, args: readonly string[]): Promise<{ packages: string[]; own: string[] }> {
  const record = here.path('modules.txt')
  here.put('modules.txt', '')
  const { code, stderr } = await here.run(args,
    { TAPEDECK_RECORD_MODULES: record, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${RECORDER}` })
  expect({ code, stderr: stderr.replace(/^warning: .+\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  const lines = [...new Set(here.read('modules.txt').split('\n'))]
  const packages = lines.flatMap((line) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ?? [])
  const own = lines.flatMap((line) => /\/dist\/(.+)$/.exec(line)?.[1] ?? [])
  return { packages: [...new Set(packages)].sort(), own }
}

const CORE = ['yaml', 'yargs', 'zod']
const HEAVY = [
  'technicalindicators', 'lightweight-charts', 'yauzl', 'cli-progress', 'ccxt', 'openai', '@anthropic-ai/sdk', '@google/generative-ai',
  'fastify', 'prom-client', '@duckdb/node-api',
]

describe.concurrent('what is loaded', () => {
  it('for --version: nothing but the entry and the version', async () => {
    const { packages, own } = await loads(workspace(), ['--version'])
    expect(packages).toEqual([])
    expect(own.sort()).toEqual(['engine/cli/main.js', 'engine/version.js'])
  })

  it('for help and listings: no chart, no archive, no indicators, no progress bar', async () => {
    for (const args of [['--help'], ['strategies'], ['plugins'], ['config']]) {
      const { packages } = await loads(workspace(), args)
      for (const name of HEAVY) {
        expect(packages).not.toContain(name)
      }
    }
  })

  it('for a run of sma-cross: no indicator package, no archive, no progress bar, only its own strategy and plugins',
    async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const { packages, own } = await loads(here, ['backtest', 's.yaml', '--no-report'])
    expect(packages).toEqual(expect.arrayContaining(CORE))
    for (const name of HEAVY) {
      expect(packages).not.toContain(name)
    }
    expect(own.filter((file) => file.startsWith('strategies/')).sort())
      .toEqual(['strategies/index.js', 'strategies/sma-cross.js'])
    expect(own).toContain('plugins/market/candle-replay.js')
    expect(own).not.toContain('plugins/market/synthetic.js')
    expect(own).not.toContain('engine/report/html.js')
  })

  it('the recorder sees both kinds of modules', async () => {
    const { packages, own } = await loads(workspace(), ['strategies'])
    expect(packages).toContain('zod')
    expect(packages).toContain('yargs')
    expect(own).toContain('engine/cli/program.js')
  })
})
