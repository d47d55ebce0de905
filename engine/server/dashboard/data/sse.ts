export interface ServerEvent { readonly id: string | null; readonly name: string; readonly data: string }

/**
 * Takes the text of an event stream piece by piece and returns the events that are whole. Comments, which the server
 * sends as heartbeats, end no event. One event may have this many characters; a longer one is dropped.
 */
export class EventParser {
  static readonly longest = 4_000_000
  #rest = ''
  #name = 'message'
  #data: string[] = []
  #size = 0
  #id: string | null = null

  take(piece: string): ServerEvent[] {
    // A piece may end between the two characters of a line's end.
    const text = this.#rest + piece
    const held = text.endsWith('\r') ? text.length - 1 : text.length
    const lines = text.slice(0, held).split(/\r\n|\n|\r/)
    this.#rest = (lines.pop() ?? '') + text.slice(held)
    if (this.#rest.length > EventParser.longest) this.#rest = ''
    return lines.flatMap((line) => this.#line(line))
  }

  #line(line: string): ServerEvent[] {
    if (line === '') return this.#whole()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    if (field === 'id' && !value.includes('\0')) this.#id = value
    if (field === 'data' && (this.#size += value.length) <= EventParser.longest) this.#data.push(value)
    return []
  }

  #whole(): ServerEvent[] {
    const event = { id: this.#id, name: this.#name, data: this.#data.join('\n') }
    const empty = this.#data.length === 0 || this.#size > EventParser.longest
    this.#name = 'message'
    this.#data = []
    this.#size = 0
    return empty ? [] : [event]
  }
}
