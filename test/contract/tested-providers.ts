import anthropic from '../../plugins/provider/anthropic.ts'
import gemini from '../../plugins/provider/gemini.ts'
import openai from '../../plugins/provider/openai.ts'
import together from '../../plugins/provider/together.ts'
import type { Tested } from './provider-suite.ts'

/** Every AI service that there is a provider for. */
export const TESTED: readonly Tested[] = [
  { name: 'gemini', plugin: gemini, keyName: 'GEMINI_API_KEY', forbidden: 'key' },
  { name: 'openai', plugin: openai, keyName: 'OPENAI_API_KEY', forbidden: 'key' },
  { name: 'anthropic', plugin: anthropic, keyName: 'ANTHROPIC_API_KEY', forbidden: 'key' },
  { name: 'together', plugin: together, keyName: 'TOGETHER_API_KEY', forbidden: 'too-long' },
]
