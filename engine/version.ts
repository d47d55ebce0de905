import { readFileSync } from 'node:fs'

/** The version in package.json, which sits one level higher when compiled. */
export function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: string }).version
    } catch {
      // The other place has it.
    }
  }
  throw new Error('package.json is missing: the installation is incomplete')
}
