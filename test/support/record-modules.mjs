// Loaded with --import: writes every module that a program loads, by either module system, to the file that
// TAPEDECK_RECORD_MODULES names. Registers itself as the loader hook that sees the imports.
import { appendFileSync } from 'node:fs'
import Module, { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const record = (place) => appendFileSync(process.env.TAPEDECK_RECORD_MODULES, `${place}\n`)

export async function load(url, context, next) {
  record(url)
  return next(url, context)
}

if (isMainThread) {
  register(import.meta.url)
  process.on('exit', () => Object.keys(Module._cache).forEach(record))
}
