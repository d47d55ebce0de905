import { z } from 'zod'
import { definePlugin } from '../../engine/ports.ts'
import { envOf } from '../service/base.ts'
import { chatCompletions } from '../service/chat-completions.ts'
import { serviceOptions } from '../service/options.ts'
import { serviceOf } from '../service/service.ts'

const KEY = 'OPENAI_API_KEY'
const dialect = chatCompletions({ provider: 'openai', url: 'https://api.openai.com/v1', keyName: KEY })

const options = z.strictObject({
  ...serviceOptions('openai'),
  seed: z.int().optional().describe('asks for the same answer to the same question; no promise of the service'),
  reasoningEffort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional()
    .describe('how long reasoning models think; left out = the model\'s own way'),
})

export default definePlugin({
  kind: 'provider',
  name: 'openai',
  description: 'OpenAI (needs OPENAI_API_KEY), or a server that speaks its chat completions: Ollama, vLLM, LM Studio.',
  options,
  env: envOf('openai', KEY),
  create: (parsed, deps) => serviceOf(dialect, parsed, ({ foreign }) => ({
    temperature: parsed.temperature, top_p: parsed.topP, seed: parsed.seed, reasoning_effort: parsed.reasoningEffort,
    // OpenAI's reasoning models refuse the old name, other servers may know no other.
    [foreign === '' ? 'max_completion_tokens' : 'max_tokens']: parsed.maxTokens,
  }), deps),
})
