import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { isLoopbackHost } from '../core/loopback.ts'
import type { Access } from './access.ts'
import type { Limiter } from './limiter.ts'
import { Refusal } from './refusal.ts'

/** What a route may ask of the guard. */
declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needs no token. */
    open?: boolean
    /** Refused to pages of other sites, like everything that changes something. */
    own?: boolean
    /** Whoever stops trading never waits behind what else was asked for. */
    urgent?: boolean
  }
}

export interface GuardPlan {
  /** The host that the server is bound to, as given. */
  readonly host: string
  /** Known once it listens. */
  readonly port: () => number
  readonly access: Access
  /** Wrong tokens per address, and POST requests per address. */
  readonly failures: Limiter
  readonly posts: Limiter
  readonly urgent: Limiter
}

const READS = new Set(['GET', 'HEAD'])

/** Looks at every request before anything else does. Throws a Refusal. */
export function guard(plan: GuardPlan, request: FastifyRequest): void {
  const { config } = request.routeOptions
  checkHost(plan, request)
  checkOrigin(request, !READS.has(request.method) || config.own === true)
  if (config.open !== true) authorise(plan, request)
  if (READS.has(request.method)) return
  const limiter = config.urgent === true ? plan.urgent : plan.posts
  const seconds = limiter.wait(request.ip)
  if (seconds > 0) throw tooMany(`more than ${limiter.most} requests that change something in a minute`, seconds)
  limiter.count(request.ip)
}

/** Another name that leads here is that of a page that wants to act as this one. */
function checkHost({ host, port, access }: GuardPlan, { headers }: FastifyRequest): void {
  const [, name, at] = /^(\[[\da-f:.]+\]|[^:[\]]+)(?::(\d+))?$/i.exec(headers.host ?? '') ?? []
  if (name !== undefined && (at === undefined || Number(at) === port()) && isOurs(name.toLowerCase(), host, access)) return
  throw new Refusal(403, 'TD_HTTP_FORBIDDEN', 'the Host header is none of this server', `use http://127.0.0.1:${port()}`)
}

function isOurs(name: string, bound: string, { open }: Access): boolean {
  if (name === '127.0.0.1' || name === 'localhost' || name === '[::1]') return true
  if (open) return isLoopbackHost(bound) && name === bound
  // Bound to all addresses it has many; a number, unlike a name, cannot be made to point here by somebody else.
  if (bound === '0.0.0.0' || bound === '::') return isIP(name.replaceAll(/[[\]]/g, '')) !== 0
  return name === bound.toLowerCase() || name === `[${bound.toLowerCase()}]`
}

function checkOrigin({ headers }: FastifyRequest, strictly: boolean): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const foreign = origin !== undefined && origin.toLowerCase() !== `http://${String(host).toLowerCase()}`
  if (!foreign && !(strictly && (site === 'cross-site' || site === 'same-site'))) return
  throw new Refusal(403, 'TD_HTTP_FORBIDDEN', 'the request comes from a page of another site', 'use this server\'s own page, or a client that sends no Origin')
}

function authorise({ access, failures, port }: GuardPlan, request: FastifyRequest): void {
  if (access.open) return
  const login = loginOf(request, port())
  if (login !== null && access.isLogin(login)) return
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer === undefined) throw unauthorised('a token is needed')
  checkToken(access, failures, request.ip, bearer)
}

/** Throws a Refusal unless the token is right. An address that guessed too often is not listened to. */
export function checkToken(access: Access, failures: Limiter, address: string, token: string): void {
  const seconds = failures.wait(address)
  if (seconds > 0) throw tooMany('more than 10 wrong tokens in a minute', seconds)
  if (access.knows(token)) return
  failures.count(address)
  throw unauthorised('the token is wrong')
}

const unauthorised = (message: string): Refusal =>
  new Refusal(401, 'TD_HTTP_UNAUTHORISED', message, 'send Authorization: Bearer <API_TOKEN>, or log in on the page',
    { 'www-authenticate': 'Bearer' })

const tooMany = (message: string, seconds: number): Refusal =>
  new Refusal(429, 'TD_HTTP_LIMIT', message, `wait ${seconds} s`, { 'retry-after': String(seconds) })

/** Cookies are not told apart by port, so that the name has to. */
export const cookieName = (port: number): string => `tapedeck_${port}`

/** The login that the browser says it has, or null. */
export function loginOf({ headers }: FastifyRequest, port: number): string | null {
  const prefix = `${cookieName(port)}=`
  const found = (headers.cookie ?? '').split(';').map((part) => part.trim()).find((part) => part.startsWith(prefix))
  return found === undefined ? null : found.slice(prefix.length)
}
