import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { program, scenario, workspace } from '../support/cli.ts'

const hasScript = spawnSync('script', ['--version']).status === 0
const skipped = hasScript ? '' : ' (skipped: no script command to make a terminal with)'

/** Long enough for a bar to appear. */
const long = scenario({ timeframe: '1m', market: { source: 'synthetic', candles: 600_000 } })

describe('the progress bar', () => {
  it('does not appear where nobody watches', async () => {
    const here = workspace()
    here.put('s.yaml', long)
    const { stdout, stderr } = await here.succeeds(['backtest', 's.yaml', '--no-report'])
    for (const text of [stdout, stderr]) {
      expect(text).not.toContain('\u001b')
      expect(text).not.toContain('\r')
    }
    expect(stderr).not.toMatch(/candles \|/)
  })

  it.skipIf(!hasScript)(`shows candles, rate and time left on a terminal, and leaves it clean${skipped}`, async () => {
    const here = workspace()
    here.put('s.yaml', long)
    const shown = (flags: string): Promise<{ stdout: string; code: number | null }> =>
      here.startCommand('script',
        ['-qec', `${process.execPath} ${program} backtest s.yaml --no-report ${flags}`, '/dev/null'],
        { TERM: 'xterm' }).done
    const { stdout, code } = await shown('')
    expect(code).toBe(0)
    expect(stdout).toMatch(/tested .+ \d+ % \| [\d,]+ candles \| [\d,]+\/s \| .+ left/)
    // The cursor comes back, and the page is in colour.
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
    expect(stdout).toContain('Total return')
    const quiet = await shown('--json')
    expect(quiet.stdout).not.toMatch(/candles \|/)
    expect(JSON.parse(quiet.stdout.slice(quiet.stdout.indexOf('{'), quiet.stdout.lastIndexOf('}') + 1)))
      .toMatchObject({ interrupted: false })
  })
})
