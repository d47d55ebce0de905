import { Socket } from 'node:net'

/**
 * Fails any connection that would leave the machine, whichever client opens it: HTTP libraries differ in what they let
 * themselves be told, but all of them end in a socket. Plain JavaScript, so that child processes can load it too.
 */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost|::ffff:127\.\d+\.\d+\.\d+)$/

const connect = Socket.prototype.connect
Socket.prototype.connect = function guarded(...args) {
  const { host, port, path } = normalised(args)
  // node:http says path: null where it means none.
  const local = typeof path === 'string' || host === undefined || host === null || LOOPBACK.test(host)
  if (!local) throw new Error(`tests are offline: a connection to ${host}:${port ?? '?'} was refused`)
  return connect.apply(this, args)
}

/** node:net hands its own normalised arguments on as one array. */
function normalised(args) {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  if (typeof first === 'object' && first !== null) return first
  if (typeof first === 'string' && Number.isNaN(Number(first))) return { path: first }
  return { port: first, host: typeof second === 'string' ? second : undefined }
}

// Programs that tests start are guarded as well.
const load = `--import ${import.meta.url}`
if (!(process.env.NODE_OPTIONS ?? '').includes(load)) process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} ${load}`.trim()
