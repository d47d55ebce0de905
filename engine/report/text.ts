/**
 * Control characters, ANSI sequences and bidirectional overrides: names and reasons are data, and data must not be able
 * to move a terminal's cursor, hide a line or reverse the reading direction of what stands beside it.
 */
const COLOURS_AND_MOVES = /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]/g
const TITLES_AND_LINKS = /\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)?/g
const CONTROLS = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g
const INVISIBLE = /[\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g

/** Text as one printable line: ANSI sequences and invisible marks vanish, control characters become a space. */
export const plain = (text: string): string =>
  text.replace(COLOURS_AND_MOVES, '').replace(TITLES_AND_LINKS, '').replace(INVISIBLE, '').replace(CONTROLS, ' ')

const WIDE = /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F]/u
const ALSO_WIDE = /[\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u
const ZERO = /[\p{Mn}\p{Me}\u200D\uFE0E\uFE0F]/u

/** Columns that a line of plain text takes in a terminal: East Asian and emoji characters take two, marks none. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) {
    if (!ZERO.test(character)) width += WIDE.test(character) || ALSO_WIDE.test(character) ? 2 : 1
  }
  return width
}

/** Breaks text at spaces into lines of at most `width` columns. A number keeps its %, and a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ (?!%)/)) {
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
