import { appendFileSync, existsSync } from 'node:fs'
import { onTestFinished, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { auditOf, expectRefusal, sample, until, workspace, type Outcome, type Variables, type Workspace } from '../support/cli.ts'
import { GOOD, LlmServer, type Act } from '../support/llm-server.ts'
import { whole } from '../support/slice.ts'

/** Decisions that the scenario asks about, and turns of each. */
const DECISIONS = 15
const TURNS = 2
const ALL = DECISIONS * TURNS

const good = (count: number): readonly Act[] => Array.from({ length: count }, () => ({ say: GOOD }))

interface Summary {
  readonly asked: number
  readonly answered: number
  readonly costUsd: number
  readonly finished: boolean
  readonly stopped: string | null
  readonly estimate: { readonly decisions: number; readonly recorded: number; readonly requests: number }
}

interface Setting {
  readonly home: Workspace
  readonly server: LlmServer
  readonly keys: Variables
  record(...args: readonly string[]): Promise<Outcome>
  summary(...args: readonly string[]): Promise<Summary>
  /** The recording's lines, without what differs from one recording of the same to another. */
  decided(folder?: string): readonly string[]
}

/** A scenario that asks one service, which does these things. */
async function setting(...script: readonly Act[]): Promise<Setting> {
  const server = await LlmServer.start('openai', ...script)
  onTestFinished(() => server.stop())
  const home = workspace()
  home.put('ai.yaml', {
    name: 'ai', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, to: '2024-01-20' },
    strategy: { name: 'autonomous-scalper' }, policy: { minConfidence: 0.5 },
    providers: [{ name: 'openai', baseURL: server.baseURL }, 'technical'], recording: { path: 'answers' }, consult: { when: { every: 12 } },
  })
  const keys = { OPENAI_API_KEY: server.key }
  const record = (...args: readonly string[]): Promise<Outcome> => home.run(['record', 'ai.yaml', ...args], keys)
  return {
    home, server, keys, record,
    summary: async (...args) => JSON.parse((await record('--json', ...args)).stdout) as Summary,
    decided: (folder = 'answers') => home.read(folder, 'tape.jsonl').trimEnd().split('\n').filter((line) => line.includes('"kind":"decision"')),
  }
}

/** What a run on the recording decides, without how long the answers took. */
async function decisionsAfter({ home }: Setting): Promise<readonly string[]> {
  const { run } = await home.json(['backtest', 'ai.yaml', '--no-report'])
  return auditOf(home, run).filter(({ type, provider }) => type === 'decision' && provider === 'openai')
    .map(({ timestamp, action, confidence, phases, fallbacks, status, usage }) => JSON.stringify([timestamp, action, confidence, phases, fallbacks, status, usage]))
}

describe('a recording that is made anew', () => {
  it('asks everything each time, in a generation of its own', async () => {
    const here = await setting()
    for (const generation of [1, 2]) {
      expect((await here.record('--mode', 'record')).code).toBe(0)
      expect(here.server.received).toHaveLength(generation * ALL)
      expect(JSON.parse(here.home.read('answers', 'manifest.json'))).toMatchObject({ generation, complete: true })
    }
  })

  it('is not made by a backtest, which flies past outages that the network needs minutes for', async () => {
    const { home, server, keys } = await setting()
    await home.refuses(['backtest', 'ai.yaml', '--no-report', '--set', 'recording.mode=record'], 'TD_SCENARIO_INVALID', ['tapedeck record --mode record'], keys)
    expect(server.received).toEqual([])
  })

  it('that is made good by a backtest says what it may cost', async () => {
    const { home, server, keys } = await setting()
    const { stderr, code } = await home.run(['backtest', 'ai.yaml', '--no-report', '--set', 'recording.mode=record-missing'], keys)
    expect(code).toBe(0)
    expect(stderr).toContain('AI answers may cost 5 USD a day (budget); there are at most 48 questions a day')
    expect(server.received).toHaveLength(ALL)
  })
})

describe('what a scenario names', () => {
  it('moves no terminal, neither as text nor as JSON', async () => {
    const { home, keys } = await setting()
    const scenario = parse(home.read('ai.yaml')) as { providers: [object, string] }
    home.put('evil.yaml', { ...scenario, providers: [{ ...scenario.providers[0], model: 'm\u001b]0;title\u0007\u009b2J\u202e' }, 'technical'] })
    for (const args of [[], ['--json']]) {
      const { stdout, stderr } = await home.succeeds(['record', 'evil.yaml', '--dry-run', ...args], keys)
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
    const { stdout } = await home.succeeds(['record', 'evil.yaml', '--dry-run', '--json'], keys)
    expect(JSON.parse(stdout)).toMatchObject({ estimate: { providers: [{ model: 'm\u001b]0;title\u0007\u009b2J\u202e' }] } })
  })
})

describe('tapedeck record', () => {
  it('says what is ahead before it asks, and asks nothing twice', async () => {
    const here = await setting()
    const { stdout, code } = await here.record()
    expect(code).toBe(0)
    const order = ['Recording ', 'Asked ', `Decisions    ${DECISIONS}, 0 of them`, `To ask       ${ALL} requests`, 'Cost         about', `${DECISIONS} decisions asked about, ${DECISIONS} answered`]
    const places = order.map((text) => stdout.indexOf(text))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places[0]).toBe(0)
    expect(here.server.received).toHaveLength(ALL)
    expect(new Set(here.server.received.map(({ body }) => body)).size).toBe(ALL)

    const before = here.home.tree()
    expect((await here.record()).stdout).toMatch(/recorded already\nNothing is left to ask\.\n(?!.*asked about)/)
    expect(here.server.received).toHaveLength(ALL)
    expect(here.home.tree()).toEqual(before)
    await here.home.succeeds(['recordings', 'verify', 'answers'], here.keys)
  })

  it('says what it would ask and leaves everything as it is when it is only tried', async () => {
    const here = await setting()
    const tree = here.home.tree()
    const { stdout, code } = await here.record('--dry-run')
    expect(stdout).toMatch(new RegExp(`To ask       ${ALL} requests`))
    expect(code).toBe(0)
    expect(here.server.received).toEqual([])
    expect(here.home.tree()).toEqual(tree)
    expect(existsSync(here.home.path('answers'))).toBe(false)

    await here.record()
    const recorded = here.home.tree()
    expect((await here.record('--dry-run', '--mode', 'record')).stdout).toMatch(new RegExp(`Decisions    ${DECISIONS}, 0 of them`))
    expect(here.home.tree()).toEqual(recorded)
    expect(here.server.received).toHaveLength(ALL)
  })

  it.runIf(whole)('goes on where it was killed', async () => {
    const here = await setting(...good(13), 'hang')
    const { child, done } = here.home.start(['record', 'ai.yaml', '--concurrency', '1'], here.keys)
    await until(() => here.server.received.length === 14, 'the question that is never answered')
    child.kill('SIGKILL')
    await done
    expect(here.decided()).toHaveLength(6)
    const { estimate, asked, finished } = await here.summary()
    expect(estimate).toMatchObject({ decisions: DECISIONS, recorded: 6 })
    expect([asked, finished]).toEqual([DECISIONS - 6, true])
    // Only the one that nobody heard the answer to is asked again; its first turn was heard.
    expect(here.server.received).toHaveLength(ALL + 1)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it.runIf(whole)('goes on where a person stopped it', async () => {
    const here = await setting(...good(8), 'hang')
    const { child, done } = here.home.start(['record', 'ai.yaml', '--concurrency', '1'], here.keys)
    await until(() => here.server.received.length === 9, 'the question that is never answered')
    child.kill('SIGINT')
    const { code, stdout } = await done
    expect(code).toBe(130)
    expect(stdout).toContain('Stopped; the same command goes on from here, and asks nothing twice.')
    expect(here.decided()).toHaveLength(4)
    expect((await here.summary()).asked).toBe(DECISIONS - 4)
    expect(here.server.received).toHaveLength(ALL + 1)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it('stops at its budget, keeps what was paid for, and goes on with more', async () => {
    const here = await setting()
    const whole = await setting()
    // Enough for all answers as they turn out, but not for the worst case, which is reserved before each question.
    const { costUsd } = await whole.summary()
    const { code, stdout, stderr } = await here.record('--budget', String(costUsd), '--concurrency', '1')
    const asked = here.decided().length
    expect(code).toBe(1)
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThan(DECISIONS)
    expect(stderr).toMatch(/the worst case of the next question does not fit into the budget of \S+ USD; give more to go on/)
    expect(stderr).toMatch(/\[TD_BUDGET\]\n$/)
    expect(stdout).toMatch(/at most .* will be spent[^]*Stopped\. The same command goes on from here/)
    expect(here.server.received.length).toBeGreaterThanOrEqual(asked * TURNS)
    await here.summary()
    expect(here.server.received).toHaveLength(ALL)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it.runIf(whole)('asks again about failures only where it is told to', async () => {
    const here = await setting(...good(4), { status: 400, body: { error: { message: 'no' } } })
    expect(await here.summary('--concurrency', '1')).toMatchObject({ asked: DECISIONS, answered: DECISIONS - 1, finished: true })
    const asked = here.server.received.length
    expect(await here.summary()).toMatchObject({ asked: 0 })
    expect(here.server.received).toHaveLength(asked)
    expect(await here.summary('--retry-failed')).toMatchObject({ asked: 1, answered: 1, finished: true })
    expect(here.server.received).toHaveLength(asked + TURNS)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it('says which key it lacks, and sends nothing', async () => {
    const { home, server } = await setting()
    // A server on this machine needs none.
    home.put('ai.yaml', home.read('ai.yaml').replace(/ +baseURL: .*\n/, ''))
    const { code, stderr } = await home.run(['record', 'ai.yaml'])
    expect(stderr).toMatch(/no service has its key; set OPENAI_API_KEY in the environment or \.env \[TD_PROVIDER_FAILED\]\n$/)
    expect(code).toBe(1)
    expect(server.received).toEqual([])
  })

  it('asks each question as often as there are samples, and replays the first', async () => {
    const here = await setting()
    expect(await here.summary('--samples', '2')).toMatchObject({ asked: 2 * DECISIONS, finished: true })
    expect(here.server.received).toHaveLength(2 * ALL)
    await here.home.succeeds(['recordings', 'verify', 'answers'], here.keys)
    expect(await here.summary('--samples', '2')).toMatchObject({ asked: 0 })
    expect(await here.summary()).toMatchObject({ asked: 0 })
    expect(here.server.received).toHaveLength(2 * ALL)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it('adds a sample to what has one', async () => {
    const here = await setting()
    await here.summary()
    expect(await here.summary('--samples', '2')).toMatchObject({ asked: DECISIONS })
    expect(here.server.received).toHaveLength(2 * ALL)
    await here.home.succeeds(['recordings', 'verify', 'answers'], here.keys)
  })

  it('records the same whether many are asked at once or one', async () => {
    const here = await setting()
    expect(await here.summary('--concurrency', '4')).toMatchObject({ asked: DECISIONS, answered: DECISIONS })
    expect(here.server.received).toHaveLength(ALL)
    await here.home.succeeds(['recordings', 'verify', 'answers'], here.keys)
    expect(await decisionsAfter(here)).toEqual(await untroubled())
  })

  it.runIf(whole)('makes a whole new recording of one that was killed at its very end', async () => {
    const here = await setting()
    await here.summary()
    // As a kill between the last decision and the end leaves it.
    here.home.put('answers/manifest.json', here.home.read('answers/manifest.json').replace('"complete": true', '"complete": false'))
    expect(await here.summary('--mode', 'record')).toMatchObject({ asked: 0, finished: true })
    expect(await here.summary('--mode', 'record')).toMatchObject({ asked: DECISIONS, finished: true })
    expect(here.server.received).toHaveLength(2 * ALL)
  })

  it('lets one process write at a time', async () => {
    const here = await setting('hang')
    const { child, done } = here.home.start(['record', 'ai.yaml', '--concurrency', '1'], here.keys)
    await until(() => here.server.received.length === 1, 'the first question')
    expectRefusal(await here.record(), 'TD_LOCKED', [`process ${child.pid} is recording`])
    expect(here.server.received).toHaveLength(1)
    child.kill('SIGKILL')
    await done
    expect(await here.summary()).toMatchObject({ asked: DECISIONS, finished: true })
  })

  it('sets an unfinished last line aside and says so', async () => {
    const here = await setting()
    await here.summary()
    const whole = here.home.read('answers/tape.jsonl')
    appendFileSync(here.home.path('answers/tape.jsonl'), '{"kind":"exchange","seq":')
    const { stderr, code } = await here.record()
    expect(stderr).toMatch(/^warning: .*answers: the last line .*unfinished; it is set aside in .*torn-1/m)
    expect(code).toBe(0)
    expect(here.home.read('answers/tape.jsonl')).toBe(whole)
    const aside = here.home.list('answers').filter((name) => name.includes('torn'))
    expect(aside.map((name) => here.home.read('answers', name))).toEqual(['{"kind":"exchange","seq":'])
    expect(here.server.received).toHaveLength(ALL)
  })
})

let calm: Promise<readonly string[]> | null = null
/** What is decided on answers that nothing came in the way of. */
function untroubled(): Promise<readonly string[]> {
  calm ??= (async () => {
    const here = await setting()
    await here.summary('--concurrency', '1')
    const decisions = await decisionsAfter(here)
    expect(decisions).toHaveLength(DECISIONS)
    return decisions
  })()
  return calm
}
