import { setTimeout as pause } from 'node:timers/promises'
import autocannon from 'autocannon'

/**
 * Asks a server until its stdin ends, in a process of its own so that nothing else delays what is measured; then prints
 * per path how often it was answered, how often not with 2xx, and the times of all answers in ms. Arguments: the
 * server's address, and then pairs of a path and how often a second it is asked.
 *
 * A connection of autocannon asks its share of a second at once, one after the other: ten groups that begin a tenth of a
 * second apart ask evenly, and hardly ever wait for one answer before they ask for the next.
 */
const GROUPS = 10
const [url, ...paths] = process.argv.slice(2)
let ended = false
process.stdin.resume().once('end', () => { ended = true })

async function ask(path, rate) {
  const times = []
  const groups = []
  for (let group = 0; group < GROUPS && !ended; group++) {
    const load = autocannon({ url: url + path, connections: Math.max(1, rate / GROUPS / 5), overallRate: rate / GROUPS, duration: 600 })
    load.on('response', (_client, _status, _bytes, ms) => { times.push(ms) })
    groups.push(load)
    await pause(1000 / GROUPS)
  }
  while (!ended) await pause(20)
  for (const group of groups) group.stop()
  const results = await Promise.all(groups)
  const sum = (count) => results.reduce((total, result) => total + count(result), 0)
  return {
    path, answered: sum((one) => one['2xx']), refused: sum((one) => one.non2xx), failed: sum((one) => one.errors + one.timeouts + one.resets),
    times: times.sort((a, b) => a - b),
  }
}

const asked = []
for (let at = 0; at < paths.length; at += 2) asked.push(ask(paths[at], Number(paths[at + 1])))
process.stdout.write(JSON.stringify(await Promise.all(asked)))
