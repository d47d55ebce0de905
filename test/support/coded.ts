import { expect } from 'vitest'
import type { ErrorCode } from '../../engine/errors.ts'

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A coded error whose message says these things in this order; for `toThrow`. */
export const coded = (code: ErrorCode, ...says: readonly string[]): Error => expect.objectContaining({
  code, message: expect.stringMatching(new RegExp(says.map(literal).join('.*'))) as string,
}) as Error
