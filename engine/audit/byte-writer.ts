const FLUSH_AT = 1 << 20
/** The longest single piece that is written without a check: a number, a time, a constant. */
const SLACK = 1 << 12

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]

/**
 * Text into one reused buffer, handed on in blocks of about a mebibyte. Numbers come out as JavaScript prints them,
 * without making a string for each.
 */
export class ByteWriter {
  readonly #sink: (bytes: Uint8Array) => void
  #buffer = Buffer.allocUnsafe(FLUSH_AT + SLACK)
  #at = 0
  /** Decimals of the last number that had to be searched for: neighbours mostly have as many or fewer. */
  #decimals = 2

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink
  }

  /** Hands on what has gathered. */
  flush(): void {
    if (this.#at === 0) return
    const bytes = this.#buffer.subarray(0, this.#at)
    this.#at = 0
    this.#sink(bytes)
  }

  /** Room for at least `size` more bytes. */
  #reserve(size: number): void {
    if (this.#at + size <= FLUSH_AT) return
    this.flush()
    if (size > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(size + SLACK)
  }

  /** A constant that was encoded once. */
  bytes(constant: Uint8Array): void {
    this.#reserve(constant.length)
    this.#buffer.set(constant, this.#at)
    this.#at += constant.length
  }

  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#at += this.#buffer.write(text, this.#at)
  }

  byte(code: number): void {
    this.#buffer[this.#at++] = code
  }

  /** An integer, 0 ≤ value < 2^53. */
  integer(value: number): void {
    this.#reserve(20)
    this.#digits(value, 0)
  }

  /** As `String(value)`; NaN and infinities as `null`, since JSON has no other word for them. */
  number(value: number): void {
    this.#reserve(32)
    if (value < 0 && value !== -Infinity) {
      this.byte(45)
      value = -value
    }
    if (!this.#decimal(value, this.#decimals)) this.#search(value)
  }

  /** Writes `value` if it is a decimal with at most `decimals` places: at most 15 digits that name a double are its shortest name. */
  #decimal(value: number, decimals: number): boolean {
    const scaled = Math.round(value * POWERS[decimals])
    // JavaScript turns to exponents below 1e-6.
    if (scaled >= 1e15 || scaled / POWERS[decimals] !== value || (value < 1e-6 && value !== 0)) return false
    this.#digits(scaled, decimals)
    return true
  }

  #search(value: number): void {
    for (let decimals = 0; decimals <= 8; decimals++) {
      if (!this.#decimal(value, decimals)) continue
      this.#decimals = decimals
      return
    }
    this.#at += this.#buffer.write(Number.isFinite(value) ? String(value) : 'null', this.#at, 'latin1')
  }

  /** Rounded to 6 decimals, 8 when below 1 in size. */
  rounded(value: number): void {
    const decimals = value > -1 && value < 1 ? 8 : 6
    const scaled = Math.round((value < 0 ? -value : value) * POWERS[decimals])
    if (!(scaled < 1e15) || (decimals === 8 && scaled < 100)) return this.number(roundIndicator(value))
    this.#reserve(32)
    if (value < 0 && scaled !== 0) this.byte(45)
    this.#digits(scaled, decimals)
  }

  /** Digits of a whole number below 1e15 with a point before the last `decimals`, without trailing zeros. */
  #digits(whole: number, decimals: number): void {
    const buffer = this.#buffer
    let high = Math.floor(whole / 1e8)
    let low = whole - high * 1e8
    // Trailing zeros of a fraction are not printed. At most 8 decimals, so they all sit in the low half.
    let dropped = 0
    while (dropped < decimals) {
      const next = (low / 10) | 0
      if (next * 10 !== low) break
      low = next
      dropped++
    }
    decimals -= dropped
    let digits = high > 0 ? 8 - dropped : 1
    if (high > 0) for (let bound = 1; bound <= high; bound *= 10) digits++
    else for (let bound = 10; bound <= low; bound *= 10) digits++
    if (digits <= decimals) digits = decimals + 1
    let end = this.#at + digits + (decimals > 0 ? 1 : 0)
    this.#at = end
    const lowDigits = 8 - dropped
    for (let digit = 0; digit < digits; digit++) {
      if (decimals > 0 && digit === decimals) buffer[--end] = 46
      if (digit === lowDigits) {
        low = high
        high = 0
      }
      const next = (low / 10) | 0
      buffer[--end] = 48 + (low - next * 10)
      low = next
    }
  }
}

/** Indicator values in the audit: 6 decimals, 8 below 1. */
export function roundIndicator(value: number): number {
  const scale = value > -1 && value < 1 ? 1e8 : 1e6
  const rounded = Math.round(value * scale) / scale
  return Number.isFinite(rounded) ? rounded : value
}
