import { createServer } from 'node:net'
import { once } from 'node:events'
import { appendFileSync, cpSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readRun } from '../../engine/session/live-directory.ts'
import { expectRefusal, workspace, type Running } from '../support/cli.ts'
import { ask } from '../support/http-server.ts'
import { trailOf } from '../support/rehearsal.ts'
import { ASKED, rehearsed } from '../support/served-run.ts'

const here = workspace()
let directory: string
beforeAll(async () => { directory = await rehearsed(ASKED) })

/** The address that a serving process says. */
async function addressOf({ child, done }: Running): Promise<string> {
  let said = ''
  const found = new Promise<string>((resolve) => {
    child.stdout!.on('data', (text: string) => {
      said += text
      const url = /http:\/\/\S+/.exec(said)?.[0]
      if (url !== undefined) resolve(url)
    })
  })
  return Promise.race([found, done.then(({ stderr }) => { throw new Error(stderr) })])
}

describe('tapedeck serve', () => {
  it('shows the newest run, follows what is added, and ends on a signal with its port free', async () => {
    const serving = here.start(['serve', '--out', dirname(directory), '--port', '0'])
    const url = await addressOf(serving)
    const { json } = await ask(url, '/api/run')
    expect(json).toMatchObject({ run: basename(directory), state: 'finished', venue: 'practice' })
    expect((await ask(url, '/api/autonomous-toggle', { method: 'POST' })).status).toBe(409)
    expect((await ask(url, '/readyz')).status).toBe(200)
    const { seq, run } = trailOf(directory).at(-1)!
    appendFileSync(join(directory, 'audit.jsonl'), `${JSON.stringify({ type: 'alarm', seq: Number(seq) + 1, run, timestamp: '2024-01-20T00:00:00.000Z', event: 'late' })}\n`)
    const alarms = async (): Promise<unknown[]> => (await ask(url, '/api/alarms')).json as unknown[]
    while ((await alarms()).length === 0) await new Promise((resolve) => { setTimeout(resolve, 50) })
    serving.child.kill('SIGTERM')
    const { code, stderr } = await serving.done
    expect([code, stderr]).toEqual([0, ''])
    await expect(ask(url, '/healthz')).rejects.toThrow('ECONNREFUSED')
  })

  it('says that a run has crashed which no process writes any more', async () => {
    const killed = here.path('killed', basename(directory))
    cpSync(directory, killed, { recursive: true })
    writeFileSync(join(killed, 'run.json'), JSON.stringify({ ...readRun(killed), state: 'running' }))
    const serving = here.start(['serve', '--out', dirname(killed), '--port', '0'])
    const url = await addressOf(serving)
    expect((await ask(url, '/api/run')).json).toMatchObject({ run: basename(killed), state: 'crashed' })
    expect((await ask(url, '/api/runs')).json).toMatchObject([{ state: 'crashed' }])
    serving.child.kill('SIGTERM')
    await serving.done
  })

  it('serves before anything has run', async () => {
    const serving = here.start(['serve', '--port', '0'])
    const url = await addressOf(serving)
    expect((await ask(url, '/api/run')).json).toMatchObject({ run: null, state: 'finished', symbols: [] })
    expect((await ask(url, '/api/runs')).json).toEqual([])
    serving.child.kill('SIGINT')
    expect((await serving.done).code).toBe(0)
  })

  it('says what to do where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    expectRefusal(await here.run(['serve'], { PORT: String(port) }), 'TD_SERVER',
      [`127.0.0.1:${port}: another program listens there; end it, or choose another port with --port or PORT`])
    other.close()
  })

  it('refuses to be reached by others without a token, and never says the token', async () => {
    expectRefusal(await here.run(['serve', '--port', '0'], { HOST: '0.0.0.0' }), 'TD_SETTING_INVALID', [/HOST=0\.0\.0\.0: .+ set API_TOKEN/])
    const token = 'nobody-knows-this-token'
    const serving = here.start(['serve', '--port', '0', '--host', '0.0.0.0'], { API_TOKEN: token })
    const url = await addressOf(serving)
    expect((await ask(url, '/api/run')).status).toBe(401)
    expect((await ask(url, '/api/run', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    serving.child.kill('SIGTERM')
    const { stdout, stderr } = await serving.done
    expect(stdout + stderr).not.toContain(token)
  })

  it('refuses what is no run and no port', async () => {
    await here.refuses(['serve', 'nothing'], 'TD_RUN_MISSING', ['nothing'])
    await here.refuses(['serve', '--port', '70000'], 'TD_USAGE', ['--port'])
  })
})
