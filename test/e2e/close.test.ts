import { describe, expect, it } from 'vitest'
import { until, workspace } from '../support/cli.ts'
import { end, Hold, mortal, PATIENCE_MS } from '../support/held.ts'
import { whole } from '../support/slice.ts'

describe('tapedeck close', { timeout: 2 * PATIENCE_MS }, () => {
  it('asks a running bot and waits for the sale', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    const { code, stdout, stderr } = await hold.run('close', 'BTC/USDT')
    expect(stderr).toMatch(/^asking process \d+, which runs hold-/)
    expect(stdout).toMatch(/^BTC\/USDT of hold-\S+ is closed: -[\d.]+ USDT \(-0\.20 %\)\n {2}sold [\d.]+ BTC at 100\.00 = [\d,.]+ USDT, fee [\d.]+\n$/)
    expect(code).toBe(0)
    expect(hold.lines('trade')).toMatchObject([{ symbol: 'BTC/USDT', reason: 'operator' }])
    await end(bot, 'SIGINT')
    await hold.proveTrail()
  })

  it.each<[string, NodeJS.Signals, string]>([['was stopped', 'SIGINT', 'stopped'], ['crashed', 'SIGKILL', 'running']])(
    'goes on with a run that %s until it is out', async (_, signal, state) => {
      const hold = await Hold.open()
      await end(await hold.holding(), signal)
      expect(await hold.positions()).toMatchObject([{ state, pid: null }])
      const { code, stdout } = await hold.run('close', 'btcusdt')
      expect(stdout).toContain('is closed: -')
      expect(code).toBe(0)
      expect(hold.resting).toEqual([])
      expect(hold.coins).toBeLessThan(1.00001)
      expect(await hold.positions()).toEqual([])
      expect(JSON.parse(hold.here.read('runs', hold.runs[0], 'run.json'))).toMatchObject({ state: 'stopped', kind: 'rehearsal', exchange: 'external' })
      await hold.proveTrail()
      // The run is as it was otherwise: it goes on, and buys again.
      const bot = hold.bot('--resume')
      await until(() => hold.lines('fill').length > 2, 'the bot has bought again', PATIENCE_MS)
      await end(bot, 'SIGINT')
      expect(hold.runs).toHaveLength(1)
      await hold.proveTrail()
    })

  it.runIf(whole)('leaves a halted run too, which stays halted', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGINT')
    hold.here.put(`runs/${hold.runs[0]}/HALTED.json`, JSON.stringify({ time: 0, reason: 'a test' }))
    expect((await hold.run('close', 'BTC/USDT')).code).toBe(0)
    expect(hold.lines('trade')).toMatchObject([{ reason: 'operator' }])
    expect(hold.here.list('runs', hold.runs[0])).toContain('HALTED.json')
  })

  it.runIf(whole)('asks which run is meant', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    await end(await hold.holding(), 'SIGKILL')
    const [first, second] = hold.runs
    await hold.here.refuses(['close', 'BTC/USDT'], 'TD_USAGE', ['2 runs hold it', first, second, '--run'])
    expect((await hold.run('close', 'BTC/USDT', '--run', first)).stdout).toContain(`of ${first} is closed`)
    expect(await hold.positions()).toMatchObject([{ run: second }])
  })

  it('refuses what nobody holds, and what cannot be reached', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    await hold.here.refuses(['close', 'ETH/USDT'], 'TD_USAGE', ['ETH/USDT: no run in runs holds it', /open are: BTC\/USDT \(hold-/])
    await hold.here.refuses(['close', 'BTC/USDT', '--timeout', '0'], 'TD_USAGE', ['--timeout'])
    await hold.exchange.close()
    const { code, stderr } = await hold.run('close', 'BTC/USDT')
    expect(stderr).toContain('[TD_EXCHANGE_FAILED]')
    expect(code).toBe(1)
    // A wish that could not be fulfilled does not wait for a later start.
    expect(hold.here.list('runs', hold.runs[0], 'operator')).toEqual([])
  })

  it.runIf(whole)('says so where a practice exchange ended with its rehearsal', async () => {
    const hold = await Hold.open()
    const bot = mortal(hold.here.start(['rehearse', 'hold.yaml', '--speed', '600']))
    await until(() => hold.lines('fill').length > 0, 'the bot has bought', PATIENCE_MS)
    await end(bot, 'SIGINT')
    await hold.here.refuses(['close', 'BTC/USDT'], 'TD_EXCHANGE_FAILED', ['its practice exchange ended with its process', '--resume'])
  })

  it('refuses where there is no run', async () => {
    await workspace().refuses(['close', 'BTC/USDT'], 'TD_USAGE', ['there is no open position'])
  })
})
