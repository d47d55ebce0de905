import { afterEach, describe, expect, it } from 'vitest'
import { withFetch } from '../../plugins/provider/gemini/scoped-fetch.ts'

const named = (name: string): typeof fetch => async () => new Response(name)
const asked = async (): Promise<string> => (await fetch('http://127.0.0.1:9/')).text()
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('another fetch for some work', () => {
  const real = globalThis.fetch
  afterEach(() => {
    globalThis.fetch = real
  })

  it('is that of the work, also where several run at once, and nobody else\'s', async () => {
    globalThis.fetch = named('outside')
    const work = async (): Promise<string[]> => {
      const first = await asked()
      await turn()
      return [first, await asked()]
    }
    const [a, b, outside] = await Promise.all([withFetch(named('a'), work), withFetch(named('b'), work), turn().then(asked)])
    expect({ a, b, outside }).toEqual({ a: ['a', 'a'], b: ['b', 'b'], outside: 'outside' })
    expect(await asked()).toBe('outside')
  })

  it('may itself call the global one', async () => {
    globalThis.fetch = named('outside')
    expect(await withFetch((input, init) => globalThis.fetch(input, init), asked)).toBe('outside')
  })

  it('holds when others put theirs in front of it and take it away again', async () => {
    globalThis.fetch = named('first')
    await withFetch(named('own'), asked)
    const below = globalThis.fetch
    globalThis.fetch = (input, init) => below(input, init)
    expect(await withFetch(named('own'), asked)).toBe('own')
    globalThis.fetch = named('later')
    expect(await withFetch(named('own'), asked)).toBe('own')
    expect(await asked()).toBe('later')
  })
})
