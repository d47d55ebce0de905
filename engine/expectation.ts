import type { z } from 'zod'

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number', int: 'a whole number', string: 'a text', boolean: 'true or false', object: 'keys with values',
  record: 'keys with values', array: 'a list', null: 'null', date: 'a date',
}

/** `a`, `a or b`, `a, b or c`. */
export const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

function bound(issue: { origin: string; inclusive?: boolean }, limit: unknown, least: boolean): string {
  if (issue.origin === 'number' || issue.origin === 'int') {
    const words = least ? ['at least', 'more than'] : ['at most', 'less than']
    return `expected ${words[issue.inclusive === false ? 1 : 0]} ${limit}`
  }
  const [one, many] = issue.origin === 'string' ? ['character', 'characters'] : ['entry', 'entries']
  return `expected ${least ? 'at least' : 'at most'} ${limit} ${limit === 1 ? one : many}`
}

/** What a schema expected where it says nothing itself, in words for people who write scenarios. */
export const expectation: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type': return `expected ${KINDS[issue.expected] ?? issue.expected}`
    case 'invalid_value': return `expected ${either(issue.values.map(String))}`
    case 'too_small': return bound(issue, issue.minimum, true)
    case 'too_big': return bound(issue, issue.maximum, false)
    case 'invalid_key': return issue.issues[0]?.message
    case 'invalid_union': {
      const kinds = issue.errors.flatMap(([first]) =>
        (first === undefined ? [] : [first.message.replace(/^expected /, '')]))
      return kinds.length === 0 ? undefined : `expected ${either([...new Set(kinds)])}`
    }
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys': return undefined
  }
}
