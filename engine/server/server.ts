import type { Environment } from '../config/settings.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { buildApp, portOf, type ServerPlan } from './app.ts'

export interface ServerOptions extends Omit<ServerPlan, 'token'> {
  /** 0 = any that is free. */
  readonly port: number
  /** `API_TOKEN` is read from it. */
  readonly env: Environment
}

export interface Server {
  /** `http://127.0.0.1:5000`, for people. */
  readonly url: string
  /** Ends streams, answers what is under way, and frees the port. */
  close(): Promise<void>
}

/** What is still under way after this is cut off. */
const PATIENCE_MS = 3_000

/** What can be guessed keeps nobody out. */
const LEAST_TOKEN = 16

/**
 * Throws TD_SETTING_INVALID unless the host is this machine's own or a token of 16 characters and more keeps others out.
 */
export function checkHost(host: string, env: Environment): void {
  const { API_TOKEN: token = '' } = env
  if (isLoopbackHost(host) || token.length >= LEAST_TOKEN) return
  if (token !== '') {
    throw new TapedeckError('TD_SETTING_INVALID', `API_TOKEN has ${token.length} characters: expected at least ${LEAST_TOKEN} where HOST=${host} lets others in; `
      + 'take one from openssl rand -hex 16')
  }
  throw new TapedeckError('TD_SETTING_INVALID', `HOST=${host}: expected 127.0.0.1, since without API_TOKEN whoever reaches the `
    + 'server could trade; set API_TOKEN, or leave HOST out')
}

/** Serves until it is closed. Throws TD_SETTING_INVALID (see {@link checkHost}) and TD_SERVER where the port is not to be had. */
export async function startServer({ port, env, ...plan }: ServerOptions): Promise<Server> {
  checkHost(plan.host, env)
  const app = await buildApp({ ...plan, token: env['API_TOKEN'] || null })
  try {
    await app.listen({ host: plan.host, port })
  } catch (error) {
    await app.close()
    throw new TapedeckError('TD_SERVER', notListening(error, plan.host, port), { cause: error })
  }
  return {
    url: `http://${shownHost(plan.host)}:${portOf(app)}`,
    async close() {
      const cut = setTimeout(() => { app.server.closeAllConnections() }, PATIENCE_MS).unref()
      await app.close()
      clearTimeout(cut)
    },
  }
}

const shownHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host

function notListening(error: unknown, host: string, port: number): string {
  const { code } = error as NodeJS.ErrnoException
  const at = `${shownHost(host)}:${port}`
  if (code === 'EADDRINUSE') return `${at}: another program listens there; end it, or choose another port with --port or PORT`
  if (code === 'EACCES') return `${at}: this user may not listen there; choose a port from 1024 on with --port or PORT`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${at}: this machine has no such address; correct HOST or --host`
  return `${at}: cannot listen (${messageOf(error)}); choose another address with --host and --port`
}
