import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERRORS, messageOf, TapedeckError, type ErrorCode } from '../../engine/errors.ts'
import { HTTP_CODES } from '../../engine/server/refusal.ts'
import { root } from '../support/shared.ts'

interface Entry {
  readonly exit: number
  readonly summary: string
  readonly typical: readonly string[]
  readonly remedy: string
}

/** ERRORS.md by code. */
const documented = new Map(readFileSync(join(root, 'engine/ERRORS.md'), 'utf8').split(/^## /m).slice(1)
  .map((section): [string, Entry] => {
  const [, exit = '', summary = ''] = /^Exit code (\d+)\. (.+)$/m.exec(section) ?? []
  return [section.split('\n')[0], {
    exit: Number(exit), summary,
    typical: [...section.matchAll(/^- Typical: (`+)(.+)\1$/gm)].map(([, , text]) => text),
    remedy: /^- What to do: (.+)$/m.exec(section)?.[1] ?? '',
  }]
}))

const sources = ['engine', 'plugins', 'strategies'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
    .map((name) => readFileSync(join(root, folder, name), 'utf8')))
const codes = Object.keys(ERRORS) as ErrorCode[]

describe('the error catalogue', () => {
  it('and its documentation have the same codes, in the same order', () => {
    expect([...documented.keys()]).toEqual(codes)
  })

  it.each(codes)('%s is documented as it is', (code) => {
    const { exit, summary, typical, remedy } = documented.get(code)!
    expect({ exit, summary }).toEqual(ERRORS[code])
    expect(typical.length).toBeGreaterThan(0)
    for (const line of typical) expect(line).toMatch(new RegExp(`^tapedeck: .+ \\[${code}\\]$`))
    expect(remedy).not.toBe('')
  })

  it.each(codes)('%s is thrown somewhere', (code) => {
    const thrown = new RegExp(`(new TapedeckError\\(\\s*|parseOptions\\(.*|ErrorCode = )'${code}'`)
    expect(sources.some((text) => thrown.test(text))).toBe(true)
  })

  it('says what the codes of the server mean', () => {
    const text = readFileSync(join(root, 'engine/ERRORS.md'), 'utf8')
    for (const code of Object.keys(HTTP_CODES)) expect(text).toMatch(new RegExp(`^\\| \`${code}\` \\| \\d{3}`, 'm'))
  })

  it('is all that the sources mention', () => {
    const mentioned = new Set(sources.flatMap((text) => [...text.matchAll(/'(TD_\w+)'/g)].map(([, code]) => code)))
    expect([...mentioned].filter((code) => !codes.includes(code as ErrorCode) && !Object.hasOwn(HTTP_CODES, code))).toEqual([])
  })

  it('has the exit codes of a process that failed', () => {
    for (const code of codes) expect([1, 2, 3]).toContain(ERRORS[code].exit)
  })

  it('is named once, and no exit code is given in two ways', () => {
    const table = /\| exit code \| means \|\n\|---\|---\|\n((?:\|.+\n)+)/.exec(readFileSync(join(root,
      'engine/ERRORS.md'), 'utf8'))![1]
    expect(table.trim().split('\n').map((row) => Number(row.split('|')[1]))).toEqual([0, 1, 2, 3, 130])
  })
})

describe('a coded error', () => {
  it('carries its code, its exit code and its cause', () => {
    const cause = new Error('disk full')
    const error = new TapedeckError('TD_RUN_WRITE', 'runs/x: cannot write', { cause })
    expect(error).toBeInstanceOf(Error)
    expect({ name: error.name, code: error.code, exitCode: error.exitCode, message: error.message, cause: error.cause })
      .toEqual({ name: 'TapedeckError', code: 'TD_RUN_WRITE', exitCode: 1, message: 'runs/x: cannot write', cause })
  })

  it('has a message, whatever was thrown', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(3), messageOf(undefined)])
      .toEqual(['a', 'b', '3', 'undefined'])
  })
})
