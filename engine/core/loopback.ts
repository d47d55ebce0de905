/** Names are left out on purpose: what `localhost` means is for a file or a server to decide. */
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** `http://127.0.0.1:4711` on this machine, and nothing beside it: no path, no name, no password. */
export function isLoopbackOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && url.protocol === 'http:' && LOOPBACK.test(url.hostname) && url.origin === text
}
