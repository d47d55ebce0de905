import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { root } from './shared.ts'

/** Another process that runs a piece of module code against the compiled engine, and lives until it is told to go. */
export interface OtherProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** The one line that the code says with `say(value)`. */
  readonly said: Promise<unknown>
  /** Gone, as a crash would have it, when this resolves. */
  kill(): Promise<void>
}

/** `code` may use `say(value)`, once, and `load('session/x.js')` for a compiled module of the engine. */
export function otherProcess(code: string, env: Readonly<Record<string, string>> = {}): OtherProcess {
  const engine = JSON.stringify(join(root, 'dist/engine/'))
  const program = `
    const load = (name) => import(${engine} + name)
    const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
    process.stdin.resume().on('end', () => process.exit(0))
    try { ${code} } catch (error) { say({ code: error.code, message: error.message }) }
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  const said = once(createInterface(child.stdout), 'line').then(([line]) => JSON.parse(String(line)) as unknown)
  return { child, pid: child.pid ?? 0, said, kill }
}
