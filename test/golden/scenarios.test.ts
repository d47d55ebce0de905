import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { registry } from '../../engine/assemble.ts'
import { backtest } from '../../engine/backtest.ts'
import { resolveScenario } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { readSettings } from '../../engine/config/settings.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { root } from '../support/shared.ts'

const folder = resolve(root, 'scenarios')

describe('every scenario of the project runs on what is bundled', () => {
  // What npm start trades asks services that have no recording, and takes its symbol from the environment.
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml') && file !== 'autonomous.yaml')) {
    it(name, async () => {
      const resolution = await resolveScenario(loadScenario(resolve(folder, name)), readSettings({}), registry)
      const { figures, decisions, report } = await backtest(resolution, quietWorld(), { out: null, report: true, now: () => 0 })
      expect(figures.trades).toBeGreaterThan(0)
      expect(decisions.byStatus['EXECUTED']).toBeGreaterThan(0)
      // The candles are made up, and whoever sees the report must be able to know.
      expect(report.assumptions.join(' ')).toContain('synthetic')
    })
  }
})
