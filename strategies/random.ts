import { z } from 'zod'
import type { Opinion } from '../engine/core/opinion.ts'
import { hashUniform } from '../engine/core/random.ts'
import { defineStrategy } from '../engine/ports.ts'

const BUY: Opinion = { action: 'BUY', confidence: 1, reasoning: 'the dice said buy' }
const SELL: Opinion = { action: 'SELL', confidence: 1, reasoning: 'the dice said sell' }
const HOLD: Opinion = { action: 'HOLD', confidence: 0, reasoning: 'the dice said wait' }

/**
 * Throws a die at each close. The throw is a function of seed and time alone, so it is the same however the tape is cut
 * and wherever a session restarts.
 */
export default defineStrategy({
  name: 'random',
  description: 'Enters and leaves at random, by a seed: the skill-free yardstick.',
  params: z.strictObject({
    seed: z.int().min(0).default(1),
    buy: z.number().min(0).max(1).default(0.02).describe('chance of BUY at each close'),
    sell: z.number().min(0).max(1).default(0.02).describe('chance of SELL at each close'),
  }).refine(({ buy, sell }) => buy + sell <= 1, { error: 'buy + sell must not exceed 1', path: ['sell'] }),
  warmup: () => 0,
  indicators: () => ({}),
  technical({ time }, { seed, buy, sell }) {
    const thrown = hashUniform(seed, Math.floor(time / 1000), 0)
    return thrown < buy ? BUY : thrown < buy + sell ? SELL : HOLD
  },
})
