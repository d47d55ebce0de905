import { until, type Running, type Workspace } from './cli.ts'

/** A practice exchange in a process of its own. */
export async function exchangeProcess(home: Workspace, ...args: string[]): Promise<{ readonly url: string; end(): Promise<void> }> {
  const running: Running = home.start(['exchange', '--port', '0', ...args])
  let [url, text] = ['', '']
  running.child.stdout!.on('data', (part: Buffer) => { text += part.toString() })
  await until(() => (url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '') !== '', 'the exchange')
  return {
    url,
    async end() {
      running.child.kill('SIGINT')
      await running.done
    },
  }
}
