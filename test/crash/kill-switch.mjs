import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'

/**
 * Loaded into the program by `--import`. Counts the moments before and after everything that leaves the process (lines
 * of the trail, other files of the run, HTTP requests) and kills the process at the one that is asked for. Time is
 * stepped, so the same run goes through the same moments in the same order. All moments or, when killed, the last one
 * are left in a file.
 */
const { TAPEDECK_TEST_MOMENTS: report, TAPEDECK_TEST_KILL_AT: chosen } = process.env
const killAt = chosen === undefined ? Infinity : Number(chosen)
const moments = []

const { openSync, writeSync, closeSync, renameSync, writeFileSync } = fs

/** Returns whether this is where the process ends. */
function reached(moment) {
  moments.push(moment)
  return moments.length === killAt
}

function die() {
  writeFileSync(report, `${moments.at(-1)}\n`)
  process.kill(process.pid, 'SIGKILL')
}

const pass = (moment) => { if (reached(moment)) die() }

process.on('exit', () => { writeFileSync(report, moments.map((moment) => `${moment}\n`).join('')) })

// Files ---------------------------------------------------------------------------------------------------------------

const LINES = { 'audit.jsonl': 'trail', 'autonomous_trades.jsonl': 'view' }
const names = new Map()

/** run.json.123.tmp is on its way to be run.json. */
const fileName = (path) => basename(String(path)).replace(/\.\d+\.tmp$/, '')

function lineName(kind, bytes) {
  const line = JSON.parse(Buffer.from(bytes).toString('utf8'))
  const said = line.purpose ?? line.event ?? line.status ?? line.state ?? line.reason ?? line.act ?? line.rule
  const what = line.type === 'intent' && line.purpose === undefined ? (line.order.side === 'buy' ? 'entry' : 'exit')
    : line.type === 'fill' ? `${line.side}${line.reason === null ? '' : ` ${line.reason}`}`
      : line.type === 'intent' && line.purpose === 'protect' ? `protect ${line.pair === 1 ? 'first' : 'again'}` : said
  return `${kind} ${line.type}${typeof what === 'string' ? ` ${what}` : ''}`
}

fs.openSync = (path, flags, mode) => {
  const file = openSync(path, flags, mode)
  if (flags !== 'r' && flags !== undefined) names.set(file, fileName(path))
  return file
}

fs.closeSync = (file) => {
  names.delete(file)
  closeSync(file)
}

fs.writeSync = (file, data, ...rest) => {
  const name = names.get(file)
  if (name === undefined) return writeSync(file, data, ...rest)
  const bytes = Buffer.from(data)
  const step = Object.hasOwn(LINES, name) ? lineName(LINES[name], bytes) : `file ${name}`
  pass(`before ${step}`)
  if (reached(`torn ${step}`)) {
    writeSync(file, bytes, 0, Math.floor(bytes.length / 2))
    die()
  }
  const written = writeSync(file, bytes, ...rest)
  pass(`after ${step}`)
  return written
}

fs.renameSync = (from, to) => {
  pass(`before rename ${fileName(to)}`)
  renameSync(from, to)
  pass(`after rename ${fileName(to)}`)
}

syncBuiltinESMExports()

// Requests ------------------------------------------------------------------------------------------------------------

const PURPOSES = { e: 'entry', x: 'exit', m: 'forced', k: 'operator', s: 'stop', t: 'target' }

function requestName(url, { method = 'GET', body } = {}) {
  const { pathname, searchParams } = new URL(url)
  const path = pathname.replace(/^\/(api\/v3\/)?/, '')
  const params = new URLSearchParams(typeof body === 'string' && !body.startsWith('{') ? body : searchParams)
  const pair = /-p(\d+)$/.exec(params.get('listClientOrderId') ?? '')
  const purpose = pair !== null && method === 'POST' ? (pair[1] === '1' ? 'first' : 'again')
    : PURPOSES[/-([a-z])\d*$/.exec(params.get('newClientOrderId') ?? '')?.[1]]
  return `${method} ${path}${purpose === undefined ? '' : ` ${purpose}`}`
}

const send = globalThis.fetch
globalThis.fetch = async (url, init) => {
  const step = requestName(url, init)
  pass(`before ${step}`)
  try {
    return await send(url, init)
  } finally {
    pass(`after ${step}`)
  }
}
