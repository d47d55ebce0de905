import { z } from 'zod'
import type { Opinion } from '../engine/core/opinion.ts'
import { defineStrategy } from '../engine/ports.ts'

const BUY: Opinion = { action: 'BUY', confidence: 1, reasoning: 'nothing is held yet' }
const HOLD: Opinion = { action: 'HOLD', confidence: 0, reasoning: 'holding' }

/** Buys once with everything and never sells: what any idea has to beat. */
export default defineStrategy({
  name: 'buy-and-hold',
  description: 'Buys at the first chance with all cash and keeps it.',
  params: z.strictObject({}),
  warmup: () => 0,
  indicators: () => ({}),
  technical: (snapshot) => (snapshot.inPosition ? HOLD : BUY),
  policy: { stopLoss: null, takeProfit: null, positionSize: 1 },
  usesPortfolio: true,
})
