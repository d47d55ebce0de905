import { createHmac } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { VirtualClock } from '../../engine/real-clock.ts'
import webhook from '../../plugins/notifier/webhook.ts'
import { NOTICE } from '../contract/notifier-suite.ts'
import { Loopback } from '../support/loopback.ts'
import { providerDeps } from '../support/provider-deps.ts'

it('signs what it says, when and under which id, and keeps all three when it says it again', async () => {
  const server = await Loopback.open((_, response, count) => void response.writeHead(count === 2 ? 500 : 204).end())
  onTestFinished(() => server.close())
  const notifier = await webhook.create(webhook.options.parse({}), providerDeps({
    env: { WEBHOOK_URL: `${server.origin}/in?a=b`, WEBHOOK_SECRET: 'long enough' }, clock: new VirtualClock(1_700_000_000_123),
  }), undefined)
  const { signal } = new AbortController()
  await notifier.notify(NOTICE, signal)
  await notifier.notify(NOTICE, signal)
  const [first, second, again] = server.received
  for (const { path, headers, body } of server.received) {
    const said = JSON.parse(body) as Record<string, unknown>
    expect(path).toBe('/in?a=b')
    expect(headers['content-type']).toBe('application/json')
    expect(headers['x-tapedeck-signature']).toBe(`sha256=${createHmac('sha256', 'long enough').update(body).digest('hex')}`)
    expect(said).toEqual({
      ...NOTICE, time: '2025-01-01T00:00:00.000Z', id: headers['x-tapedeck-id'], sentAt: Number(headers['x-tapedeck-timestamp']),
    })
    expect(said['sentAt']).toBe(1_700_000_000)
  }
  expect(again).toEqual({ ...second, headers: expect.objectContaining({ 'x-tapedeck-id': second.headers['x-tapedeck-id'] }) as object })
  expect(first.headers['x-tapedeck-id']).not.toBe(second.headers['x-tapedeck-id'])
})
