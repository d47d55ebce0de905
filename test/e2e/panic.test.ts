import { describe, expect, it } from 'vitest'
import { auditOf, sample, scenario, until, workspace, type Workspace } from '../support/cli.ts'
import { end, Hold, mortal, PATIENCE_MS } from '../support/held.ts'
import { call, SYMBOL } from '../support/practice.ts'
import { slice, whole } from '../support/slice.ts'

/** What somebody else rests with on the same account. */
const foreignOrder = async ({ exchange }: Hold): Promise<void> => {
  const { status } = await call(exchange, 'POST', '/order', {
    ...SYMBOL, side: 'SELL', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.40000', price: '400.00', newClientOrderId: 'somebody-else',
    recvWindow: 60_000,
  })
  expect(status).toBe(200)
}

const expectOut = (hold: Hold): void => {
  expect(hold.resting).toEqual([])
  // What cannot be sold is less than one lot.
  expect(hold.coins).toBeGreaterThanOrEqual(1)
  expect(hold.coins).toBeLessThan(1.00001)
  expect(hold.exchange.orders().find(({ clientOrderId }) => clientOrderId === 'somebody-else')).toMatchObject({ status: 'NEW', executedQuantity: 0 })
  expect(hold.exchange.orders().filter(({ side, type }) => side === 'SELL' && type === 'MARKET')).toMatchObject([{ status: 'FILLED' }])
}

/** The sale is in the run's own books, the run is halted, and nothing has left it since. */
const expectAdopted = async (hold: Hold): Promise<void> => {
  await until(() => hold.lines('trade').length > 0, 'the bot has taken the sale in', PATIENCE_MS)
  expect(hold.lines('trade')).toMatchObject([{ symbol: 'BTC/USDT', reason: 'operator' }])
  expect(hold.lines('risk').at(-1)).toMatchObject({ rule: 'operator', state: 'HALTED' })
  const { length } = hold.lines('decision')
  const orders = hold.exchange.orders().length
  await until(() => hold.lines('decision').length > length + 2, 'the bot has decided again', PATIENCE_MS)
  expect(hold.lines('decision').slice(length)).toMatchObject([{ reason: 'halted' }, { reason: 'halted' }, { reason: 'halted' }])
  expect(hold.exchange.orders()).toHaveLength(orders)
}

/** Hours pass in milliseconds: any request that was not signed in the very same wake-up would be too old. */
const HOURLY = { CHECK_INTERVAL: '3600' }
const hourly = (changes: object): object => scenario({
  name: 'hourly', market: { file: sample }, broker: { name: 'paper', cash: 10_000 },
  instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }, ...changes,
})
const CALM = { strategy: { name: 'buy-and-hold' }, policy: { minConfidence: 0.6, stopLoss: 0.5, takeProfit: 3, positionSize: 0.2 } }
const BUSY = {
  strategy: { name: 'random', params: { seed: 7, buy: 0.6, sell: 0.2 } }, policy: { minConfidence: 0.6, stopLoss: 0.01, takeProfit: 0.01, positionSize: 0.2 },
}

/** Whole lines of the only run's trail; none before there is one. */
const linesOf = (here: Workspace): readonly Record<string, unknown>[] => {
  const [run] = here.list('runs')
  const text = run !== undefined && here.list('runs', run).includes('audit.jsonl') ? here.read('runs', run, 'audit.jsonl') : ''
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('tapedeck panic', { timeout: 2 * PATIENCE_MS }, () => {
  it('leaves what a running bot holds, and nothing else', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    await foreignOrder(hold)
    const { code, stdout } = await hold.run('panic', '--reason', 'enough is enough')
    expect(stdout).toMatch(/^hold-\S+ {2}HALTED · process \d+ runs it\n {2}✓ BTC\/USDT {2}protection cancelled \(t\S+\); sold [\d.]+ BTC at 100\.00 = /)
    expect(code).toBe(0)
    expectOut(hold)
    await expectAdopted(hold)
    expect(hold.lines('operator')).toMatchObject([{ act: 'halt', reason: 'enough is enough' }])
    expect(await hold.positions()).toEqual([])
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.runIf(whole)('leaves what a bot holds that hangs', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    await foreignOrder(hold)
    bot.child.kill('SIGSTOP')
    expect((await hold.run('panic')).code).toBe(0)
    expectOut(hold)
    bot.child.kill('SIGCONT')
    await expectAdopted(hold)
    expectOut(hold)
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.each<[string, object]>([
    ['with a pair', { stopLoss: 0.5, takeProfit: 2 }],
    ['with nothing that rests', { stopLoss: null, takeProfit: null }],
  ])('leaves what a dead bot holds, %s, and the next process knows', async (_, policy) => {
    const hold = await Hold.open(policy)
    await end(await hold.holding(), 'SIGKILL')
    await foreignOrder(hold)
    expect(await hold.positions()).toMatchObject([{ symbol: 'BTC/USDT', state: 'running', pid: null }])
    expect((await hold.run('panic')).stdout).toContain('it crashed, no process runs it')
    expectOut(hold)
    expect(await hold.positions()).toEqual([])
    // The same again: there is nothing left, and nobody else's coins are sold.
    const again = await hold.run('panic')
    expect(again.stdout).toContain('nothing open at its venue')
    expect(again.code).toBe(0)
    expectOut(hold)
    const bot = hold.bot('--resume')
    await expectAdopted(hold)
    expectOut(hold)
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.runIf(whole)('takes nothing of others after it has been resumed', async () => {
    const hold = await Hold.open({ stopLoss: null, takeProfit: null, maxOpenPositions: 1, cooldown: 10_000 })
    await end(await hold.holding(), 'SIGKILL')
    expect((await hold.run('panic')).code).toBe(0)
    const resumed = await hold.run('resume', 'hold')
    expect(resumed.stdout).toMatch(/may trade again; it was halted: panic\n.*No process runs it/)
    expect(await hold.run('resume', 'hold')).toMatchObject({ code: 0, stdout: expect.stringContaining('is not halted') as string })
    const bot = hold.bot('--resume')
    await until(() => hold.lines('trade').length > 0, 'the bot has taken the sale in', PATIENCE_MS)
    expect(hold.lines('operator')).toMatchObject([{ act: 'resume' }])
    expect(hold.coins).toBeLessThan(1.00001)
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.runIf(whole)('lets a running bot trade again once it is resumed', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    expect((await hold.run('panic')).code).toBe(0)
    await until(() => hold.lines('trade').length > 0, 'the bot has taken the sale in', PATIENCE_MS)
    expect((await hold.run('resume', hold.runs[0])).stdout).toContain('takes note at its next wake-up')
    await until(() => hold.lines('fill').length > 2, 'the bot has bought again', PATIENCE_MS)
    expect(hold.lines('risk').at(-1)).toMatchObject({ state: 'ACTIVE' })
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.each(slice<[string, object, number, readonly string[]]>([
    ['calm', CALM, 1, []], ['busy', BUSY, 2, []], ['calm', CALM, 30, []], ['busy', BUSY, 9, []], ['busy', BUSY, 14, []],
    ['on a bad day', CALM, 5, ['--fault', 'lost-answer:0.03', '--fault', 'server-error:0.03']],
  ], 2))('leaves what a rehearsal at full speed holds (%#: %s)', async (_, changes, fills, faults) => {
    const here = workspace()
    here.put('s.yaml', hourly(changes))
    const bot = mortal(here.start(['rehearse', 's.yaml', ...faults], HOURLY))
    const enough = (): boolean => {
      const lines = linesOf(here)
      return changes === CALM ? lines.filter(({ type }) => type === 'decision').length > fills && lines.some(({ type }) => type === 'fill')
        : lines.filter(({ type }) => type === 'fill').length >= fills
    }
    await until(enough, 'the bot has traded', PATIENCE_MS)
    const { code, stdout, stderr } = await here.run(['panic'])
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('warning: '))).toEqual([])
    expect(stdout).toMatch(/^hourly-\S+ {2}HALTED · process \d+ runs it\n {2}✓ /)
    expect(code).toBe(0)
    const { length } = linesOf(here)
    await until(() => linesOf(here).slice(length).filter(({ type }) => type === 'decision').length > 3, 'the bot has gone on', PATIENCE_MS)
    await end(bot, 'SIGINT')
    const [run] = here.list('runs')
    expect(JSON.parse((await here.succeeds(['positions', '--json'])).stdout)).toMatchObject({ positions: [], entering: [] })
    const lines = auditOf(here, run)
    expect(lines.filter(({ type }) => type === 'operator')).toMatchObject([{ act: 'halt', reason: 'panic' }])
    expect(lines.at(-1)).toMatchObject({ event: 'stopped', open_positions: 0 })
    expect((await here.succeeds(['verify', run])).stdout).toMatch(/^sound: /)
    expect((await here.succeeds(['replay', run])).stdout).toMatch(/^identical: /)
  })

  it.runIf(whole)('says what to do when the venue is gone', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    await hold.exchange.close()
    const { code, stdout, stderr } = await hold.run('panic')
    expect(stdout).toMatch(/HALTED.*\n {2}✗ BTC\/USDT {2}not left altogether\n {2}✗ .*is it still running\?/)
    expect(stderr).toMatch(/error: hold-\S+: it is not certain that nothing is left: .* client id begins with t[0-9a-f]{8}- at practice and sell by hand/)
    expect(code).toBe(1)
    expect(hold.here.list('runs', hold.runs[0])).toContain('HALTED.json')
  })

  it.each(slice<NodeJS.Signals>(['SIGKILL', 'SIGINT'], 1))('is made good by a rehearsal whose own exchange ended with it by %s', async (signal) => {
    const hold = await Hold.open()
    const bot = mortal(hold.here.start(['rehearse', 'hold.yaml', '--speed', '600']))
    await until(() => hold.lines('fill').length > 0, 'the bot has bought', PATIENCE_MS)
    await end(bot, signal)
    const [run] = hold.runs
    // Twice: one wish is enough.
    for (const _ of [1, 2]) {
      const { code, stdout, stderr } = await hold.run('panic', '--reason', 'enough')
      expect(stdout).toContain('its practice exchange ended with its process and comes back with it, BTC/USDT still held: '
        + 'left as the first thing after `tapedeck rehearse SCENARIO --resume`')
      expect(stderr).toBe('')
      expect(code).toBe(1)
      expect(hold.here.list('runs', run, 'operator')).toHaveLength(1)
    }
    const before = hold.lines('decision').length
    const again = mortal(hold.here.start(['rehearse', 'hold.yaml', '--speed', '600', '--resume']))
    await until(() => hold.lines('trade').length > 0, 'the position is left', PATIENCE_MS)
    await until(() => hold.lines('decision').length > before + 3, 'it has decided again', PATIENCE_MS)
    const { stderr } = await end(again, 'SIGINT')
    expect(stderr).toMatch(new RegExp(`warning: ${run} is HALTED since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d(:\\d\\d)? UTC: enough; BTC/USDT is left first, `
      + `then it sends no order until \`tapedeck resume ${run}\``))
    expect(hold.lines('operator')).toMatchObject([{ act: 'close', symbol: 'BTC/USDT', reason: 'enough' }, { act: 'halt', reason: 'enough' }])
    expect(hold.lines('trade')).toMatchObject([{ symbol: 'BTC/USDT', reason: 'operator' }])
    expect(hold.lines('fill')).toHaveLength(2)
    expect(hold.lines('decision').at(-1)).toMatchObject({ reason: 'halted' })
    expect(await hold.positions()).toEqual([])
    expect(hold.here.list('runs', run, 'operator')).toEqual([])
    await hold.proveTrail()
    expect((await hold.run('panic')).code).toBe(0)
  })

  it('halts a run whose run.json does not tell its broker, and says so', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    const file = `runs/${hold.runs[0]}/run.json`
    const { broker, ...rest } = JSON.parse(hold.here.read(file)) as Record<string, unknown>
    expect(broker).toEqual({ name: 'binance', options: { cash: 10_000, slippageBps: 0, feeAsset: 'received', fillTimeframe: null } })
    hold.here.put(file, JSON.stringify(rest))
    const { code, stdout } = await hold.run('panic')
    expect(stdout).toMatch(/HALTED.*\n.*\n {2}✗ hold-\S+: its run\.json does not tell the broker that it trades with/)
    expect(code).toBe(1)
  })

  it.runIf(whole)('halts every other run although one is damaged', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    hold.here.put('runs/broken/run.json', '{"run": "bro')
    hold.here.put('runs/broken/audit.jsonl', '')
    const { code, stdout, stderr } = await hold.run('panic')
    expect(stdout).toContain('✓ BTC/USDT')
    expect(stderr).toContain('broken could not be looked at')
    expect(code).toBe(1)
  })

  it('refuses where there is nothing to halt', async () => {
    const here = workspace()
    await here.refuses(['panic'], 'TD_RUN_MISSING', ['runs: there is no such folder'])
    await here.refuses(['panic', 'hold'], 'TD_RUN_MISSING', ['hold'])
    await here.refuses(['resume', 'hold'], 'TD_RUN_MISSING', ['hold'])
  })
})
