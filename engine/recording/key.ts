import { createHash } from 'node:crypto'
import type { ProviderRequest } from '../ports.ts'

/** Of the request that a key is made from: a change of either makes every key another. */
export const KEY_VERSION = 1

/** JSON whose objects have their keys in order, so that equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part)
}

/**
 * SHA-256 of what is asked, in hex. Identical requests have one key and share one answer, unless they are told apart by
 * `sample`. Nothing of it is secret or depends on when it was asked.
 */
export function requestKey({ provider, model, endpoint, system, messages, schema, sampling }: ProviderRequest, sample = 0): string {
  const asked = canonicalJson({ keyVersion: KEY_VERSION, provider, model, endpoint, system, messages, schema, sampling })
  return createHash('sha256').update(sample === 0 ? asked : `${asked} ${sample}`).digest('hex')
}

/** What of a request is the same for all questions of a run. */
export const frameOf = ({ provider, model, endpoint, system, schema, sampling }: ProviderRequest): string =>
  canonicalJson({ provider, model, endpoint, system, schema, sampling })

/** Equal exactly for equal conversations: lengths keep the parts apart. */
export function talkOf(messages: ProviderRequest['messages']): string {
  let text = ''
  for (const { role, text: said } of messages) text += `${role}${said.length}:${said}`
  return text
}
