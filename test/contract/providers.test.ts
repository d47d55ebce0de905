import { describe } from 'vitest'
import { provider } from './provider-suite.ts'
import { TESTED } from './tested-providers.ts'

describe.each(TESTED)('provider $name', provider)
