import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { stringify } from 'yaml'
import { ERRORS, type ErrorCode } from '../../engine/errors.ts'
import { root } from './shared.ts'

/** The compiled program, as a user starts it. */
export const program = join(root, 'dist/engine/cli/main.js')
export const sample = join(root, 'data/sample-BTC-USDT-1h.csv.gz')

export interface Outcome {
  /** null when a signal ended the process. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly done: Promise<Outcome>
}

export type Variables = Readonly<Record<string, string | undefined>>

/** A folder of its own for one test, and the program started in it. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'tapedeck-e2e-'))

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** Writes a file and the folders above it; an object becomes YAML. */
  put(name: string, content: string | Uint8Array | object): string {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    const written = typeof content === 'string' || content instanceof Uint8Array ? content : stringify(content)
    writeFileSync(this.path(name), written)
    return name
  }

  read(...names: string[]): string {
    return readFileSync(this.path(...names), 'utf8')
  }

  /** Names in a folder, hidden ones too; none where there is no folder. */
  list(...names: string[]): string[] {
    try {
      return readdirSync(this.path(...names)).sort()
    } catch {
      return []
    }
  }

  /** Every file below the folder with its SHA-256. */
  tree(): Record<string, string> {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
    return Object.fromEntries(files.map((path): [string, string] =>
      [path.slice(this.folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]))
  }

  start(args: readonly string[], env: Variables = {}): Running {
    return this.startCommand(process.execPath, [program, ...args], env)
  }

  run(args: readonly string[], env: Variables = {}): Promise<Outcome> {
    return this.start(args, env).done
  }

  /** A shell line in which `$TAPEDECK` starts the program. */
  shell(line: string, env: Variables = {}): Promise<Outcome> {
    return this.startCommand('bash', ['-c', line], { TAPEDECK: `${process.execPath} ${program}`, ...env }).done
  }

  startCommand(command: string, args: readonly string[], env: Variables): Running {
    // Nothing of the tester's own settings or secrets; the network guard stays.
    const base = { PATH: process.env['PATH'], HOME: this.folder, NODE_OPTIONS: process.env['NODE_OPTIONS'] }
    const child = spawn(command, args,
      { cwd: this.folder, env: { ...base, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => { texts[name] += text })
    }
    const done = new Promise<Outcome>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => { resolve({ code, ...texts }) })
    })
    return { child, done }
  }

  /** Runs something that has to work: exit code 0 and nothing but warnings on stderr. */
  async succeeds(args: readonly string[], env: Variables = {}): Promise<Outcome> {
    const outcome = await this.run(args, env)
    expect(outcome.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('warning: '))).toEqual([])
    expect(outcome.code).toBe(0)
    return outcome
  }

  async json<T = Backtest>(args: readonly string[], env: Variables = {}): Promise<T> {
    return JSON.parse((await this.succeeds([...args, '--json'], env)).stdout) as T
  }

  /** Runs something that has to be refused with one clear line, and leaves everything as it was. */
  async refuses(args: readonly string[], code: ErrorCode, says: readonly (string | RegExp)[],
    env: Variables = {}): Promise<string> {
    const before = this.tree()
    const outcome = await this.run(args, env)
    expectRefusal(outcome, code, says)
    expect(this.tree()).toEqual(before)
    expect(this.list('runs')).not.toContainEqual(expect.stringMatching(/^\./))
    return outcome.stderr
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** stdout is empty, stderr is one line that ends in the code, and the exit code is the one that belongs to it. */
export function expectRefusal(
  { code, stdout, stderr }: Outcome, error: ErrorCode, says: readonly (string | RegExp)[],
): void {
  expect(stderr).toMatch(/^tapedeck: [^\n]+\n$/)
  expect(stderr.trimEnd()).toMatch(new RegExp(`\\[${error}\\]$`))
  for (const expected of says) expect(stderr).toMatch(expected)
  expect(stdout).toBe('')
  expect(code).toBe(ERRORS[error].exit)
}

/** What `backtest --json` prints, as far as tests read it. */
export interface Backtest {
  readonly run: string
  readonly scenario: Readonly<Record<string, unknown>> & {
    readonly policy: Readonly<Record<string, number | null>>
    readonly market: { readonly options: Readonly<Record<string, unknown>> }
    readonly strategy: { readonly name: string; readonly params: Readonly<Record<string, unknown>> }
  }
  readonly figures: Readonly<Record<string,
    number | null>> & { readonly undefinedBecause: Readonly<Record<string, string>> }
  readonly baselines: Readonly<Record<string, { readonly totalReturn: number | null } | null>>
  readonly exits: Readonly<Record<string, number>>
  readonly decisions: { readonly total: number; readonly byStatus: Readonly<Record<string, number>> }
  readonly bounds: { readonly conservative: number; readonly optimistic: number } | null
  readonly warnings: readonly string[]
  readonly interrupted: boolean
  readonly directory: string
}

const open: Workspace[] = []
afterAll(() => {
  for (const workspace of open.splice(0)) workspace.remove()
})

/** A workspace that is gone when the test file ends. */
export function workspace(): Workspace {
  const made = new Workspace()
  open.push(made)
  return made
}

/** A scenario on the bundled sample, with what a test is about on top. */
export const scenario = (changes: object = {}): Record<string, unknown> => ({
  name: 'tested', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample }, strategy: { name: 'sma-cross' },
  policy: { minConfidence: 0.7 }, ...changes,
})

/** Lines of a run's audit trail. */
export const auditOf = (workspace: Workspace, run: string, out = 'runs'): Record<string, unknown>[] =>
  workspace.read(out, run, 'audit.jsonl').trimEnd().split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

export async function until(happened: () => boolean, what: string, ms = 20_000): Promise<void> {
  const end = Date.now() + ms
  while (!happened()) {
    if (Date.now() > end) throw new Error(`did not happen within ${ms} ms: ${what}`)
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
}
