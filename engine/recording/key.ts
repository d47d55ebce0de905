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

type Frame = Omit<ProviderRequest, 'messages'>

/** The newest frame with each schema: questions of one run share the object, and a tape has a hundred thousand of them. */
const frames = new WeakMap<object, { readonly of: Frame; readonly text: string }>()

const same = (a: Frame, b: Frame): boolean =>
  a.sampling === b.sampling && a.system === b.system && a.model === b.model && a.provider === b.provider && a.endpoint === b.endpoint

/** What of a request is the same for all questions of a run. */
export function frameOf({ provider, model, endpoint, system, schema, sampling }: Frame): string {
  const frame = { provider, model, endpoint, system, schema, sampling }
  const known = frames.get(schema)
  if (known !== undefined && same(known.of, frame)) return known.text
  const text = canonicalJson(frame)
  frames.set(schema, { of: frame, text })
  return text
}

/** Equal exactly for equal conversations: lengths keep the parts apart. */
export function talkOf(messages: ProviderRequest['messages']): string {
  let text = ''
  for (const { role, text: said } of messages) text += `${role}${said.length}:${said}`
  return text
}
