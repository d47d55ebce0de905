import { isLoopbackOrigin } from '../../engine/core/loopback.ts'
import { TapedeckError } from '../../engine/errors.ts'

/** Hosts that a person allows to be sent a key: names, with their port where they have one, separated by commas. */
const ALLOWED_HOSTS = 'TAPEDECK_ALLOWED_HOSTS'

export interface BasePlan {
  readonly provider: string
  /** The service's own, such as `https://api.openai.com/v1`. */
  readonly own: string
  readonly keyName: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Where requests go. */
export interface Base {
  /** Without a slash at its end. */
  readonly url: string
  readonly origin: string
  readonly path: string
  /** The origin, unless it is the service's own. */
  readonly foreign: string
  /** A server on this machine asks for no key. */
  readonly local: boolean
}

/** What may be a password also where the rest is no address. */
const PASSWORD = /(?<=\/\/).*@/s

/** `OPENAI_BASE_URL` of `openai`. */
const urlName = (provider: string): string => `${provider.toUpperCase()}_BASE_URL`

/** Names of the environment that an AI service may read. */
export const envOf = (provider: string, keyName: string): readonly string[] =>
  [keyName, urlName(provider), ALLOWED_HOSTS]

/**
 * Checks the address: a key goes to its own service, to this machine, or where the environment says. A scenario alone
 * cannot send it elsewhere. Throws TD_PLUGIN_OPTIONS.
 */
export function baseOf(option: string | undefined, { provider, own, keyName, env }: BasePlan): Base {
  const fromEnv = trimmed(env[urlName(provider)])
  const text = trimmed(option) || fromEnv || own
  const refuse = (why: string): never => {
    throw new TapedeckError('TD_PLUGIN_OPTIONS', `provider ${provider}: baseURL ${why}`)
  }
  const url = URL.canParse(text) ? new URL(text) : refuse(`${JSON.stringify(text.replace(PASSWORD, '…@'))} is not an address such as ${own}`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse(`${url.protocol}// is neither http nor https`)
  if (url.username !== '' || url.password !== '') refuse(`of ${url.host} holds a password: put the key into ${keyName}`)
  if (url.search !== '' || url.hash !== '') refuse(`${url.origin}${url.pathname} has more after its path: leave it out`)
  const local = isLoopbackOrigin(url.origin)
  const isOwn = url.origin === new URL(own).origin
  const allowed = (env[ALLOWED_HOSTS] ?? '').split(',').map((host) => host.trim().toLowerCase()).includes(url.host)
  if (!local && !isOwn && text !== fromEnv && !allowed) {
    refuse(`${url.origin} is not ${provider}'s own, and a scenario alone may not send it ${keyName}: `
      + `allow it with --allow-host ${url.host} or ${urlName(provider)}=${text}, `
      + 'or use a server on this machine (http://127.0.0.1:PORT)')
  }
  const path = url.pathname.replace(/\/+$/, '')
  return { url: url.origin + path, origin: url.origin, path, foreign: isOwn ? '' : url.origin, local }
}

const trimmed = (text: string | undefined): string => text?.trim() ?? ''
