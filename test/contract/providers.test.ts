import { describe } from 'vitest'
import anthropic from '../../plugins/provider/anthropic.ts'
import gemini from '../../plugins/provider/gemini.ts'
import openai from '../../plugins/provider/openai.ts'
import together from '../../plugins/provider/together.ts'
import { provider, type Tested } from './provider-suite.ts'

const tested: readonly Tested[] = [
  { name: 'gemini', plugin: gemini, keyName: 'GEMINI_API_KEY', forbidden: 'key' },
  { name: 'openai', plugin: openai, keyName: 'OPENAI_API_KEY', forbidden: 'key' },
  { name: 'anthropic', plugin: anthropic, keyName: 'ANTHROPIC_API_KEY', forbidden: 'key' },
  { name: 'together', plugin: together, keyName: 'TOGETHER_API_KEY', forbidden: 'too-long' },
]

describe.each(tested)('provider $name', provider)
