import { z } from 'zod'
import { definePlugin } from '../../engine/ports.ts'

export default definePlugin({
  kind: 'provider',
  name: 'technical',
  description: "The strategy's own technical rules: no AI, no network. Always the last link of a chain.",
  options: z.strictObject({}),
  create: () => ({ refines: false, answer: (conversation) => conversation.rules() }),
})
