import type { FastifyReply } from 'fastify'
import { TapedeckError } from '../errors.ts'
import { withoutPaths } from './rows.ts'

/** Codes of answers; where one of the catalogue in errors.ts says more, that is given. */
export const HTTP_CODES = {
  TD_HTTP_REQUEST: 'The request is not as expected.',
  TD_HTTP_UNAUTHORISED: 'A token is needed, or it is wrong.',
  TD_HTTP_FORBIDDEN: 'The request comes from a page of another site, or by another name.',
  TD_HTTP_UNKNOWN: 'There is nothing of that name.',
  TD_HTTP_METHOD: 'The address does not take that method.',
  TD_HTTP_CONFLICT: 'It cannot be done as things stand.',
  TD_HTTP_LIMIT: 'Too many requests.',
  TD_HTTP_BUSY: 'The server cannot take more, or is not ready.',
  TD_HTTP_FAILED: 'The server failed.',
} as const
export type HttpCode = keyof typeof HTTP_CODES

/** What a request is refused with: a status, a code of the catalogue, one line, and what to do next. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: HttpCode
  readonly next: string | null
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: HttpCode, message: string, next: string | null = null, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.next = next
    this.headers = headers
  }
}

export const unknown = (what: string, next: string | null = null): Refusal => new Refusal(404, 'TD_HTTP_UNKNOWN', what, next)
export const badRequest = (what: string, next: string | null = null): Refusal => new Refusal(400, 'TD_HTTP_REQUEST', what, next)
export const conflict = (what: string, next: string | null = null): Refusal => new Refusal(409, 'TD_HTTP_CONFLICT', what, next)

/** Shape of every error answer. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly do: string | null }
}

export const errorBody = (code: string, message: string, next: string | null): ErrorBody =>
  ({ error: { code, message: oneLine(withoutPaths(message)), do: next } })

const oneLine = (text: string): string => text.split('\n')[0].slice(0, 500)

/** What the web server itself refuses, by its code. */
const FRAMEWORK: Readonly<Record<string, readonly [status: number, message: string, next: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'the body is not JSON', 'send Content-Type: application/json, or no body'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'the body is larger than 16 kB', 'send less'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'the body is not as long as Content-Length says', 'correct Content-Length'],
  FST_ERR_BAD_URL: [400, 'the address is malformed', 'correct the percent signs in it'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'a part of the address is too long', 'shorten it'],
}

interface Thrown {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly { readonly instancePath?: string; readonly message?: string }[]
  readonly validationContext?: string
}

/** Answers whatever was thrown. `report` is told of defects, of which the answer says nothing. */
export function refuse(reply: FastifyReply, error: unknown, report: (error: unknown) => void): FastifyReply {
  if (error instanceof Refusal) {
    return reply.code(error.status).headers(error.headers).send(errorBody(error.code, error.message, error.next))
  }
  if (error instanceof TapedeckError) {
    const [message, ...next] = error.message.split('\n')[0].split('; ')
    const status = error.code === 'TD_RUN_MISSING' || error.code === 'TD_PLUGIN_UNKNOWN' ? 404 : 409
    return reply.code(status).send(errorBody(error.code, message, next.length === 0 ? null : withoutPaths(next.join('; '))))
  }
  const { code = '', statusCode, validation, validationContext } = error as Thrown
  if (validation !== undefined) {
    const [{ instancePath = '', message = 'is not as expected' }] = validation
    const where = `${validationContext ?? 'request'}${instancePath.replaceAll('/', '.')}`
    return reply.code(400).send(errorBody('TD_HTTP_REQUEST', `${where}: ${message}`, 'see /docs for what is expected'))
  }
  const known = Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined
  if (known !== undefined) return reply.code(known[0]).send(errorBody('TD_HTTP_REQUEST', known[1], known[2]))
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return reply.code(statusCode).send(errorBody('TD_HTTP_REQUEST', 'the request cannot be read', 'send valid JSON'))
  }
  report(error)
  return reply.code(500).send(errorBody('TD_HTTP_FAILED', HTTP_CODES.TD_HTTP_FAILED, 'see the log'))
}
