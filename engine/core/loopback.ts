/** Names are left out on purpose: what `localhost` means is for a file or a server to decide. */
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** Spells out `localhost`, which people type: the name is never looked up. Anything else stays as it is. */
export function spelledOut(text: string): string {
  const named = URL.canParse(text) && new URL(text).hostname === 'localhost'
  return named ? text.replace(/^http:\/\/localhost(?=[:/]|$)/i, 'http://127.0.0.1') : text
}

/** `http://127.0.0.1:4711` on this machine, and nothing beside it: no path, no name, no password. */
export function isLoopbackOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && url.protocol === 'http:' && LOOPBACK.test(url.hostname) && url.origin === text
}

/** Whether a server that is bound to it can be reached from this machine only: `127.0.0.1`, `::1`, `localhost`. */
export const isLoopbackHost = (host: string): boolean => host === 'localhost' || host === '::1' || LOOPBACK.test(host)
