import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded into a rehearsal before it starts: notes memory and how long the event loop was busy, at each simulated day.
 * What happens before the first day's candles (start-up) and after the last (the report) is not counted.
 */
const CANDLES_A_DAY = 24
const CANDLE = '"event": "candles"'
const EVERY_MS = 10

const samples = []
let candles = 0
let longest = 0
let last = performance.now()
let cpu = process.cpuUsage()

/** A process that was not given a processor was not busy: what counts is time that the loop itself used up. */
function look() {
  const now = performance.now()
  const used = process.cpuUsage(cpu)
  const busy = Math.min(now - last - EVERY_MS, (used.user + used.system) / 1000)
  if (candles > CANDLES_A_DAY && busy > longest) longest = busy
  last = now
  cpu = process.cpuUsage()
}
setInterval(look, EVERY_MS).unref()

const writeSync = fs.writeSync
fs.writeSync = function sampled(file, data, ...rest) {
  const written = writeSync.call(this, file, data, ...rest)
  if (typeof data !== 'string' && Buffer.from(data.buffer, data.byteOffset, Math.min(300, data.byteLength)).includes(CANDLE)) {
    candles++
    if (candles % CANDLES_A_DAY === 0) sample()
  }
  return written
}
syncBuiltinESMExports()

function sample() {
  look()
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  samples.push({ day: candles / CANDLES_A_DAY, rss, heapUsed, longest })
  fs.writeFileSync(process.env.TAPEDECK_TEST_SAMPLES, JSON.stringify(samples))
  // The collection was the sampler's, not the bot's.
  last = performance.now()
  cpu = process.cpuUsage()
}
