import { notifier } from './notifier-suite.ts'
import telegram from '../../plugins/notifier/telegram.ts'
import webhook from '../../plugins/notifier/webhook.ts'

const TOKEN = '123456:AAE-verysecret_token'

notifier({
  name: 'webhook', plugin: webhook, good: '',
  env: (origin) => ({ WEBHOOK_URL: `${origin}/hooks/T0-secret-path`, WEBHOOK_SECRET: 'the-secret-of-the-hook' }),
  secrets: ['the-secret-of-the-hook', 'T0-secret-path'],
  textOf: ({ body }) => (JSON.parse(body) as { text: string }).text,
})

notifier({
  name: 'telegram', plugin: telegram, good: '{"ok":true,"result":{}}',
  env: (origin) => ({ TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '-42', TELEGRAM_BASE_URL: origin }),
  secrets: [TOKEN],
  textOf: ({ body }) => (JSON.parse(body) as { text: string }).text,
})
