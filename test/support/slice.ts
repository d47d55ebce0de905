/** Long suites run whole where time does not matter. */
export const whole = process.env['TAPEDECK_FULL'] !== undefined

/** All cases of a long suite where it runs whole, otherwise `most` of them, evenly spread. */
export function slice<T>(cases: readonly T[], most: number): readonly T[] {
  return whole || cases.length <= most ? cases : Array.from({ length: most }, (_, index) => cases[Math.floor((index * cases.length) / most)])
}
