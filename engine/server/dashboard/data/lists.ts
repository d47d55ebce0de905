/** Replaces the element that is the same, or adds it in front; the oldest of too many go. */
export function newestFirst<T>(list: readonly T[], one: T, same: (other: T) => boolean, most: number): readonly T[] {
  const at = list.findIndex(same)
  return at >= 0 ? list.with(at, one) : [one, ...list].slice(0, most)
}

/** Replaces the element that is the same, or adds it at the end. */
export function inPlace<T>(list: readonly T[], one: T, same: (other: T) => boolean): readonly T[] {
  const at = list.findIndex(same)
  return at >= 0 ? list.with(at, one) : [...list, one]
}

/** Points and candles in order of time: one with the time of the last replaces it, one before it is old news. */
export function inTime<T extends readonly [number, ...unknown[]]>(list: readonly T[], more: readonly T[], most: number): readonly T[] {
  const grown = [...list]
  for (const one of more) {
    const last = grown.at(-1)
    if (last === undefined || one[0] > last[0]) grown.push(one)
    else if (one[0] === last[0]) grown[grown.length - 1] = one
  }
  return grown.slice(-most)
}
