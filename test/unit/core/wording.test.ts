import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../../engine/core/snapshot.ts'
import { wordingOf, type WordingPlan } from '../../../engine/core/wording.ts'
import { StrategyConversation } from '../../../engine/pipeline/conversation.ts'
import autonomousScalper from '../../../strategies/autonomous-scalper.ts'

const TIME = Date.UTC(2024, 2, 14, 9)
const PARAMS = autonomousScalper.params.parse({})
const VALUES = { rsi: 31.41592653589793, ma_short: 68_910.123456789, ma_long: 67_005.5, volume_ma: 1_200.25 }

const snapshotOf = (own: Partial<Snapshot> = {}, values: Partial<typeof VALUES> = {}): Snapshot => ({
  symbol: 'BTC/USDT', time: TIME, price: 68_750.25, volume: 1_350.75, trend: 'UP', names: Object.keys(VALUES), inPosition: false,
  value: (name) => ({ ...VALUES, ...values })[name as keyof typeof VALUES], ...own,
})
const plan = (own: Partial<WordingPlan> = {}): WordingPlan => ({ tickSize: 0.01, timeframe: '1h', blind: false, ...own })
const BLIND = plan({ blind: true })

/** Everything that a conversation of three turns shows to a service. */
function shown(snapshot: Snapshot, asking: WordingPlan, freeze = false): string {
  const conversation = new StrategyConversation(autonomousScalper, PARAMS, snapshot, asking)
  const dialogue = (freeze ? conversation.freeze() : conversation).begin()
  dialogue.refine({ action: 'BUY', confidence: 0.71828, reasoning: 'RSI is low' }, 1)
  dialogue.refine({ action: 'HOLD', confidence: 0.5, reasoning: 'volume is thin' }, 2)
  return [dialogue.system, ...dialogue.messages.map(({ role, text }) => `[${role}]\n${text}`)].join('\n\n')
}

/** The next number that a double can hold. */
function above(value: number): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer)
  bits[0] += 1n
  return new Float64Array(bits.buffer)[0]
}

describe('the prompts of autonomous-scalper', () => {
  it('plain', () => {
    expect(shown(snapshotOf(), plan())).toMatchInlineSnapshot(`
      "You are the analyst of a system that trades spot, long only, without leverage. You are shown one closed candle at a time.
      Answer BUY to enter at the next open, SELL to leave a position that may be held, HOLD to do nothing.
      Confidence is a probability and is scored as one. For BUY: that the price rises 3 % above the next open before it falls 5 % below it, within 48 candles. For SELL: that it falls 5 % below the next open before it rises 3 % above it. A market without any tendency gives 62.5 % to BUY and 37.5 % to SELL. For HOLD it is not scored.
      Answer with one JSON object: action, confidence from 0 to 1, reasoning in one or two sentences.

      [user]
      BTC/USDT, 1h candles, 2024-03-14T09:00:00.000Z
      Price: 68750.25
      RSI (14): 31.42
      Short average (9): 68910.12
      Long average (50): 67005.50
      Trend: UP
      Volume: 1.125 times its mean of 20 candles
      What do you do?

      [assistant]
      {"action":"BUY","confidence":0.71828,"reasoning":"RSI is low"}

      [user]
      Are you confident about 0.7183 for BUY? Weigh what speaks against it, then confirm or correct your answer in the same form.

      [assistant]
      {"action":"HOLD","confidence":0.5,"reasoning":"volume is thin"}

      [user]
      Are you confident about 0.5 for HOLD? Weigh what speaks against it, then confirm or correct your answer in the same form."
    `)
  })

  it('blind', () => {
    expect(shown(snapshotOf(), BLIND)).toMatchInlineSnapshot(`
      "You are the analyst of a system that trades spot, long only, without leverage. You are shown one closed candle at a time.
      Answer BUY to enter at the next open, SELL to leave a position that may be held, HOLD to do nothing.
      Confidence is a probability and is scored as one. For BUY: that the price rises 3 % above the next open before it falls 5 % below it, within 48 candles. For SELL: that it falls 5 % below the next open before it rises 3 % above it. A market without any tendency gives 62.5 % to BUY and 37.5 % to SELL. For HOLD it is not scored.
      Answer with one JSON object: action, confidence from 0 to 1, reasoning in one or two sentences.

      [user]
      the asset, 1h candles
      Price: 100
      RSI (14): 31.42
      Short average (9): 100.233
      Long average (50): 97.4622
      Trend: UP
      Volume: 1.125 times its mean of 20 candles
      What do you do?

      [assistant]
      {"action":"BUY","confidence":0.71828,"reasoning":"RSI is low"}

      [user]
      Are you confident about 0.7183 for BUY? Weigh what speaks against it, then confirm or correct your answer in the same form.

      [assistant]
      {"action":"HOLD","confidence":0.5,"reasoning":"volume is thin"}

      [user]
      Are you confident about 0.5 for HOLD? Weigh what speaks against it, then confirm or correct your answer in the same form."
    `)
  })

  it('before indicators have a value', () => {
    const values = { rsi: NaN, ma_short: NaN, ma_long: NaN, volume_ma: 0 }
    expect(shown(snapshotOf({ volume: 0 }, values), plan())).toMatch(/RSI \(14\): unknown\n.*: unknown\n.*: unknown\n.*\nVolume: unknown times/)
    expect(shown(snapshotOf({ volume: 0 }, values), BLIND)).not.toMatch(/NaN|Infinity/)
  })

  it.each([['plain', plan()], ['blind', BLIND]])('say the same later as they say now: %s', (_, asking) => {
    expect(shown(snapshotOf(), asking, true)).toBe(shown(snapshotOf(), asking))
  })
})

describe('a blind prompt', () => {
  it.each([
    ['BTC/USDT', 68_750.25, TIME], ['DOGE/EUR', 0.0817321, Date.UTC(2021, 4, 8)], ['SHIB/USDT', 0.00000812, Date.UTC(1999, 11, 31)],
  ])('of %s tells neither name nor date nor any price', (symbol, price, time) => {
    const values = { ma_short: price * 1.01, ma_long: price * 0.98 }
    for (const freeze of [false, true]) {
      const text = shown(snapshotOf({ symbol, price, time }, values), BLIND, freeze)
      const [base, quote] = symbol.split('/')
      for (const telling of [base, quote, new Date(time).toISOString().slice(0, 10), String(new Date(time).getUTCFullYear())]) {
        expect(text).not.toContain(telling)
      }
      for (const number of [price, values.ma_short, values.ma_long]) expect(text).not.toContain(String(number).replace(/\D/g, '').slice(0, 4))
      expect(text).toContain('the asset, 1h candles\nPrice: 100\n')
      expect(text).toContain('Short average (9): 101\nLong average (50): 98\n')
    }
  })

  it('is the same for the same market at another price and time', () => {
    const twice = snapshotOf({ symbol: 'ETH/USDT', price: 137_500.5, time: TIME + 1e9 }, { ma_short: VALUES.ma_short * 2, ma_long: VALUES.ma_long * 2 })
    expect(shown(twice, BLIND)).toBe(shown(snapshotOf(), BLIND))
  })

  it('keeps name and time from a strategy that writes them itself', () => {
    const nosy = { ...autonomousScalper, prompts: { ...autonomousScalper.prompts!, initial: ({ symbol, time }: Snapshot) => `${symbol} at ${time}` } }
    const text = new StrategyConversation(nosy, PARAMS, snapshotOf(), BLIND).messages[0].text
    expect(text).toBe('ASSET at NaN')
  })
})

describe('the last binary place', () => {
  it.each([['plain', plan()], ['plain, without a known tick', plan({ tickSize: 0 })], ['blind', BLIND]])('of no indicator changes a prompt: %s', (_, asking) => {
    const before = shown(snapshotOf(), asking)
    for (const name of Object.keys(VALUES) as (keyof typeof VALUES)[]) {
      expect(above(VALUES[name])).not.toBe(VALUES[name])
      expect(shown(snapshotOf({}, { [name]: above(VALUES[name]) }), asking)).toBe(before)
    }
    expect(shown(snapshotOf({ volume: above(1_350.75) }), asking)).toBe(before)
  })

  it('of a sum that was made in another order neither', () => {
    const { price, number } = wordingOf(snapshotOf(), plan())
    expect((0.1 + 0.2) + 0.3).not.toBe(0.1 + (0.2 + 0.3))
    expect(price((0.1 + 0.2) + 0.3)).toBe(price(0.1 + (0.2 + 0.3)))
    expect(number((0.1 + 0.2) + 0.3)).toBe(number(0.1 + (0.2 + 0.3)))
  })
})

describe('numbers', () => {
  it.each<[number, number, string]>([
    [0.01, 68_750.256, '68750.26'], [0.01, 5, '5.00'], [0.1, 5.25, '5.3'], [0.05, 5.25, '5.25'], [0.00000001, 0.00000812, '0.00000812'],
    [1, 5_123_456.789, '5123457'], [10, 5_123_456.789, '5123457'], [2.5, 17.5, '17.5'], [0.25, 17.25, '17.25'],
    [0, 68_750.256_123, '68750.256'], [0, 0.000_008_123_456_789, '0.0000081234568'], [0.01, NaN, 'unknown'], [0.01, Infinity, 'unknown'],
  ])('a price to the tick of %d: %d is %s', (tickSize, value, text) => {
    expect(wordingOf(snapshotOf(), plan({ tickSize })).price(value)).toBe(text)
  })

  it.each<[number, string]>([
    [31.41592, '31.42'], [0, '0'], [-0, '0'], [100, '100'], [99.999, '100'], [9_999.6, '10000'], [123_456, '123500'], [0.000_012_345_6, '0.00001235'],
    [-2.718_28, '-2.718'], [1.5e12, '1500000000000'], [1e-7, '0.0000001'], [NaN, 'unknown'], [-Infinity, 'unknown'],
  ])('any other with 4 significant digits and no exponent: %d is %s', (value, text) => {
    expect(wordingOf(snapshotOf(), plan()).number(value)).toBe(text)
    expect(wordingOf(snapshotOf(), BLIND).number(value)).toBe(text)
  })

  it('a blind price as a share of the newest close', () => {
    const { price, symbol, time, timeframe } = wordingOf(snapshotOf({ price: 0.08 }), BLIND)
    expect([0.08, 0.04, 0.0801, 0, NaN].map(price)).toEqual(['100', '50', '100.125', '0', 'unknown'])
    expect({ symbol, time, timeframe }).toEqual({ symbol: 'the asset', time: null, timeframe: '1h' })
  })

  it('a plain name and time as they are', () => {
    expect(wordingOf(snapshotOf(), plan())).toMatchObject({ symbol: 'BTC/USDT', time: '2024-03-14T09:00:00.000Z', timeframe: '1h' })
  })
})
