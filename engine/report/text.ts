/**
 * Control characters, ANSI sequences and bidirectional overrides: names and reasons are data, and data must not be able
 * to move a terminal's cursor, hide a line or reverse the reading direction of the text beside it.
 */
// eslint-disable-next-line no-control-regex
const ESCAPE_SEQUENCES = /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|\u001B[@-Z\\-_]/g
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001F\u007F-\u009F\u00AD\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]+/g

/** Text as one printable line: ANSI sequences vanish, runs of control characters become one space. */
export const plain = (text: string): string => text.replace(ESCAPE_SEQUENCES, '').replace(CONTROLS, ' ').trim()

const WIDE = /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u
const ZERO = /[\p{Mn}\p{Me}\u200D\uFE0E\uFE0F]/u

/** Columns that a line of plain text takes in a terminal: East Asian and emoji characters take two, marks none. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** Breaks text at spaces into lines of at most `width` columns. A longer word, such as a path, stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line]
}
