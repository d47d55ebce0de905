import { z } from 'zod'
import { definePlugin } from '../../engine/ports.ts'
import { envOf } from '../service/base.ts'
import { chatCompletions } from '../service/chat-completions.ts'
import { serviceOptions } from '../service/options.ts'
import { serviceOf } from '../service/service.ts'

const KEY = 'TOGETHER_API_KEY'
/** Together says 403 to a question that does not fit; a bad key gets 401. */
const dialect = chatCompletions({
  provider: 'together', url: 'https://api.together.xyz/v1', keyName: KEY, forbidden: 'too-long',
})

export default definePlugin({
  kind: 'provider',
  name: 'together',
  description: 'Together AI: open models, asked as OpenAI is. Needs TOGETHER_API_KEY.',
  options: z.strictObject({
    ...serviceOptions('together'),
    seed: z.int().optional().describe('asks for the same answer to the same question; no promise of the service'),
  }),
  env: envOf('together', KEY),
  create: (parsed, deps) => serviceOf(dialect, parsed, () => ({
    temperature: parsed.temperature, max_tokens: parsed.maxTokens, top_p: parsed.topP, seed: parsed.seed,
  }), deps),
})
