/** A refusal in Binance's own words: HTTP status, code and message, with `data` where a request failed by halves. */
export class BinanceError extends Error {
  override readonly name = 'BinanceError'
  readonly status: number
  readonly code: number
  readonly data: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: number, message: string, more: { data?: unknown; headers?: Readonly<Record<string, string>> } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.data = more.data
    this.headers = more.headers ?? {}
  }

  /** What the body of the answer says. */
  get body(): { readonly code: number; readonly msg: string; readonly data?: unknown } {
    const { code, message: msg, data } = this
    return data === undefined ? { code, msg } : { code, msg, data }
  }
}

const bad = (code: number, message: string): BinanceError => new BinanceError(400, code, message)

/** Every refusal that the exchange knows, by what went wrong. */
export const refusals = {
  unknownError: () => new BinanceError(500, -1000, 'An unknown error occurred while processing the request.'),
  tooManyRequests: (seconds: number) => new BinanceError(
    429, -1003,
    'Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.',
    { headers: { 'retry-after': String(seconds) } },
  ),
  banned: (until: number, seconds: number) => new BinanceError(
    418, -1003, `Way too much request weight used; IP banned until ${until}. Please use WebSocket Streams for live updates to avoid bans.`,
    { headers: { 'retry-after': String(seconds) } },
  ),
  backendTimeout: () => new BinanceError(504, -1007, 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.'),
  overloaded: () => new BinanceError(503, -1008, 'Server is currently overloaded with other requests. Please try again in a few minutes.'),
  filter: (name: string) => bad(-1013, `Filter failure: ${name}`),
  invalidMessage: (message: string) => bad(-1013, message),
  unsupported: (what: string) => bad(-1013, `${what} are not supported for this symbol.`),
  aheadOfTime: () => bad(-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
  outsideRecvWindow: () => bad(-1021, 'Timestamp for this request is outside of the recvWindow.'),
  signature: () => bad(-1022, 'Signature for this request is not valid.'),
  illegal: (name: string, range: string) => bad(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`),
  missing: (name: string) => bad(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`),
  oneOf: (a: string, b: string) => bad(-1102, `Param '${a}' or '${b}' must be sent, but both were empty/null!`),
  notRequired: (name: string) => bad(-1106, `Parameter '${name}' sent when not required.`),
  precision: (name: string) => bad(-1111, `Parameter '${name}' has too much precision.`),
  timeInForce: () => bad(-1115, 'Invalid timeInForce.'),
  orderType: () => bad(-1116, 'Invalid orderType.'),
  side: () => bad(-1117, 'Invalid side.'),
  interval: () => bad(-1120, 'Invalid interval.'),
  symbol: () => bad(-1121, 'Invalid symbol.'),
  moreThanADay: () => bad(-1127, 'More than 24 hours between startTime and endTime.'),
  combination: () => bad(-1128, 'Combination of optional parameters invalid.'),
  invalidParameter: (name: string) => bad(-1130, `Data sent for parameter '${name}' is not valid.`),
  recvWindow: () => bad(-1131, 'recvWindow must be less than 60000.'),
  insufficientBalance: () => bad(-2010, 'Account has insufficient balance for requested action.'),
  wouldTrigger: () => bad(-2010, 'Stop price would trigger immediately.'),
  wouldMatch: () => bad(-2010, 'Order would immediately match and take.'),
  priceRelationship: () => bad(-2010, 'The relationship of the prices for the orders is not correct.'),
  duplicate: () => bad(-2010, 'Duplicate order sent.'),
  unknownOrder: () => bad(-2011, 'Unknown order sent.'),
  unknownList: () => bad(-2011, 'Unknown order list sent.'),
  noOrder: () => bad(-2013, 'Order does not exist.'),
  noList: () => bad(-2013, 'Order list does not exist.'),
  keyFormat: () => new BinanceError(401, -2014, 'API-key format invalid.'),
  key: () => new BinanceError(401, -2015, 'Invalid API-key, IP, or permissions for action.'),
  cancelReplacePartly: (data: unknown) => new BinanceError(409, -2021, 'Order cancel-replace partially failed.', { data }),
  cancelReplaceFailed: (data: unknown) => new BinanceError(400, -2022, 'Order cancel-replace failed.', { data }),
} as const
