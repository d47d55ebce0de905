import { expect, it, onTestFinished } from 'vitest'
import { openAnnouncer } from '../../engine/announce.ts'
import { registry } from '../../engine/assemble.ts'
import { recallResolution, resolveScenario } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { readSettings } from '../../engine/config/settings.ts'
import { coded } from '../support/coded.ts'
import { Loopback } from '../support/loopback.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { writeScenario } from '../support/scenario-files.ts'

const resolve = (notify?: unknown): ReturnType<typeof resolveScenario> => resolveScenario(loadScenario(writeScenario({
  name: 's', symbol: 'BTC/USDT', timeframe: '1h', market: { file: 'a.csv' }, strategy: { name: 'sma-cross' }, ...(notify === undefined ? {} : { notify }),
})), readSettings({}), registry)

it('tells whom the scenario names, also after it was recalled from a record, and hides every secret of the environment', async () => {
  const server = await Loopback.open((_, response) => void response.end('{"ok":true,"result":{}}'))
  onTestFinished(() => server.close())
  const env = {
    WEBHOOK_URL: `${server.origin}/hook`, WEBHOOK_SECRET: 'a secret to sign', GEMINI_API_KEY: 'AIza-key-of-gemini',
    TELEGRAM_BOT_TOKEN: '1:token-of-bot', TELEGRAM_CHAT_ID: '7', TELEGRAM_BASE_URL: server.origin,
  }
  const { scenario, folder } = await resolve({ webhook: { events: ['provider-disabled'] }, telegram: null })
  expect(scenario.notify).toMatchObject([
    { name: 'webhook', options: { events: ['provider-disabled'], attempts: 4 } }, { name: 'telegram', options: { commands: true } },
  ])
  const announcer = await openAnnouncer(await recallResolution(scenario, folder, registry), { ...quietWorld(), env }, 'run-9')
  announcer!.see({ type: 'session', timestamp: '2025-01-01T00:00:00.000Z', event: 'restarted' })
  announcer!.see({ type: 'provider', timestamp: '2025-01-01T00:00:00.000Z', event: 'state', service: 'gemini', state: 'DISABLED',
    reason: 'key AIza-key-of-gemini refused, a secret to sign, 1:token-of-bot', until: null })
  await announcer!.close()
  expect(announcer!.delivered).toEqual({ webhook: { sent: 1, failed: 0, dropped: 0 }, telegram: { sent: 2, failed: 0, dropped: 0 } })
  const bodies = server.received.map(({ body }) => body).join('\n')
  expect(bodies).toContain('key [redacted] refused, [redacted], [redacted]')
  expect(bodies).not.toMatch(/AIza|a secret to sign|token-of-bot/)
  expect(server.received.map(({ path }) => path).sort()).toEqual(['/bot1:token-of-bot/sendMessage', '/bot1:token-of-bot/sendMessage', '/hook'])
})

it('is nobody where nobody is named, and says at once what the environment lacks', async () => {
  const silent = await resolve()
  expect(silent.scenario).not.toHaveProperty('notify')
  expect(await openAnnouncer(silent, quietWorld(), 'run-9')).toBeNull()
  await expect(openAnnouncer(await resolve(['telegram']), quietWorld(), 'run-9')).rejects.toThrow(coded('TD_SETTING_INVALID', 'TELEGRAM_BOT_TOKEN', 'is not set'))
})
