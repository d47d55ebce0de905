import { Socket, type SocketConnectOpts } from 'node:net'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost|::ffff:127\.\d+\.\d+\.\d+)$/

/**
 * Fails any connection that would leave the machine, whichever client opens it: HTTP libraries differ in what they let
 * themselves be told, but all of them end in a socket.
 */
const connect = Socket.prototype.connect
Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]): Socket {
  const options = normalised(args)
  const local = options.path !== undefined || options.host === undefined || LOOPBACK.test(options.host)
  if (!local) throw new Error(`tests are offline: a connection to ${options.host}:${options.port ?? '?'} was refused`)
  return connect.apply(this, args as Parameters<typeof connect>)
} as typeof connect

function normalised(args: readonly unknown[]): { host?: string; port?: number | string; path?: string } {
  // node:net hands its own normalised arguments on as one array.
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null) return first as SocketConnectOpts as { host?: string; port?: number; path?: string }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return { path: first }
  return { port: first as number, ...(typeof second === 'string' ? { host: second } : {}) }
}
