/**
 * Amounts as the exchange keeps them: whole numbers of 1e-8, so that balances add up to the last decimal whatever order
 * the additions come in.
 */
export type Units = bigint

const SCALE = 1e8

/** Nearest whole number of 1e-8. */
export const toUnits = (amount: number): Units => BigInt(Math.round(amount * SCALE))

/** The number next to a count of 1e-8. */
export const fromUnits = (units: Units): number => Number(units) / SCALE

/** A decimal string with 8 decimals, rounded to the nearest. */
export const decimal = (amount: number): string => amount.toFixed(8)

/** `a + b` without the noise of binary fractions. */
export const add = (a: number, b: number): number => fromUnits(toUnits(a) + toUnits(b))

/** `a − b` without the noise of binary fractions. */
export const subtract = (a: number, b: number): number => fromUnits(toUnits(a) - toUnits(b))

/** Whether `amount` lies on the grid of `step`; a step of 0 has no grid. */
export const isMultiple = (amount: number, step: number): boolean => step === 0 || toUnits(amount) % toUnits(step) === 0n
