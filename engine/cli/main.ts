#!/usr/bin/env node
import { version } from '../version.ts'

const [first, ...rest] = process.argv.slice(2)
if (rest.length === 0 && (first === '--version' || first === '-v')) {
  // Answered before anything heavy is loaded.
  process.stdout.write(`${version()}\n`)
} else {
  const { runProgram } = await import('./program.ts')
  process.exitCode = await runProgram(process.argv.slice(2))
}
