import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeHtml, html, inertJson, trusted } from '../../../engine/report/markup.ts'
import { displayWidth, plain, wrap } from '../../../engine/report/text.ts'

describe('plain', () => {
  it('removes ANSI sequences, control characters and bidirectional overrides', () => {
    expect(plain('\u001B[31mred\u001B[0m')).toBe('red')
    expect(plain('a\u001B]8;;https://example.org\u0007link\u001B]8;;\u0007b')).toBe('alinkb')
    expect(plain('one\r\ntwo\tthree')).toBe('one two three')
    expect(plain('abc\u202Edcba\u2069')).toBe('abcdcba')
    expect(plain('\u009B2Jgone')).toBe('gone')
  })

  it('leaves no control character of any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plain(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/)
    }))
  })
})

describe('wrap', () => {
  it('breaks at spaces, keeps a number with its percent sign, and never loses a word', () => {
    expect(wrap('threshold 60.00 %', 15)).toEqual(['threshold', '60.00 %'])
    const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 })
    fc.assert(fc.property(words, fc.integer({ min: 9, max: 40 }), (list, width) => {
      const lines = wrap(list.join(' '), width)
      expect(lines.join(' ')).toBe(list.join(' '))
      expect(lines.every((line) => displayWidth(line) <= width)).toBe(true)
    }))
  })

  it('counts wide characters twice and marks not at all', () => {
    expect(['abc', '比特币', 'e\u0301', '🚀'].map(displayWidth)).toEqual([3, 6, 1, 2])
  })
})

describe('markup', () => {
  it('escapes every value that is not markup', () => {
    const name = '</script><img src=x onerror="alert(1)">\'&'
    expect(html`<p title="${name}">${[name, trusted('<b>')]}</p>`.text).toBe(
      `<p title="${escapeHtml(name)}">&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;<b></p>`)
    expect(html`${null}${undefined}${false}${0}`.text).toBe('0')
  })

  it('makes JSON that cannot leave its script element and reads back the same', () => {
    const evil = fc.constantFrom('</script>', '<!--', '\u2028', '\u2029', ']]>')
    fc.assert(fc.property(fc.jsonValue(), evil, (value, ending) => {
      const { text } = inertJson([value, ending])
      expect(text).not.toMatch(/[<>&\u2028\u2029]/)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify([value, ending])))
    }))
  })
})
