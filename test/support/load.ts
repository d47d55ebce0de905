import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './shared.ts'

export interface Asked {
  readonly path: string
  /** With 2xx. */
  readonly answered: number
  /** With anything else. */
  readonly refused: number
  /** Not at all. */
  readonly failed: number
  /** What each answer took in ms, the shortest first. */
  readonly times: readonly number[]
}

/** Asks a server for paths so often a second each until it is ended, in a process of its own. */
export function makeLoad(url: string, perSecond: Readonly<Record<string, number>>): { end(): Promise<readonly Asked[]> } {
  const paths = Object.entries(perSecond).flatMap(([path, rate]) => [path, String(rate)])
  const child = spawn(process.execPath, [join(root, 'test/support/load-maker.mjs'), url, ...paths], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text })
  const closed = once(child, 'close')
  return {
    async end() {
      child.stdin.end()
      await closed
      return JSON.parse(said) as readonly Asked[]
    },
  }
}

/** `p` of values in rising order. */
export const percentile = (values: readonly number[], p: number): number => values[Math.ceil(p * values.length) - 1]

/** So long a process has wanted a processor and got none, in ms; null where the system does not tell. */
export function starvedMs(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return null
  }
}

/** A number of `GET /metrics`, summed over its labels. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0)
}
