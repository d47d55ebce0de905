import { expect, it } from 'vitest'
import { z } from 'zod'
import * as shapes from '../../../../engine/server/shapes.ts'
import { emptyDashboard, fullDashboard, type DashboardData } from '../../../support/dashboard-data.ts'

/** The page reads a part of what the server answers, and nothing else. */
const part = (shape: z.ZodObject): z.ZodType => shape.partial().strict()

const read: Readonly<Record<keyof DashboardData, z.ZodType>> = {
  status: part(shapes.statusShape), run: part(shapes.runShape), figures: part(shapes.figuresShape),
  positions: z.array(part(shapes.positionShape)), trades: z.array(part(shapes.tradesShape.element)), equity: part(shapes.equityShape),
  candles: z.record(z.string(), part(shapes.candlesShape)), decisions: z.array(part(shapes.decisionShape)), risk: part(shapes.riskShape),
  services: z.array(part(shapes.providerShape)), lanes: z.array(part(shapes.lanesShape.element)), alarms: z.array(part(shapes.alarmsShape.element)),
  runs: z.array(part(shapes.runsShape.element)),
}

it.each([['empty', emptyDashboard()], ['full', fullDashboard()]])('what the tests of the page call an %s session has the shapes of the server', (_, data) => {
  for (const [name, shape] of Object.entries(read)) expect(shape.safeParse(data[name as keyof DashboardData]).error, name).toBeUndefined()
})
