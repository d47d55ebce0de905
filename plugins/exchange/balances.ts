import { fromUnits, toUnits, type Units } from './decimal.ts'
import { refusals } from './errors.ts'

/** What one order, or both legs of a list, keep from being spent twice. */
export interface Hold {
  readonly asset: string
  units: Units
}

interface Balance {
  free: Units
  locked: Units
}

/** What the account owns, in whole numbers of 1e-8. */
export class Balances {
  readonly #assets = new Map<string, Balance>()

  /** `start`: free amounts by asset; `known` assets are listed even when there is nothing of them. */
  constructor(start: Readonly<Record<string, number>>, known: Iterable<string>) {
    for (const asset of known) this.#at(asset)
    this.setAll(start)
  }

  /** Every asset gets exactly what `amounts` says, or nothing; no locks remain. */
  setAll(amounts: Readonly<Record<string, number>>): void {
    for (const balance of this.#assets.values()) balance.free = balance.locked = 0n
    for (const [asset, amount] of Object.entries(amounts)) this.#at(asset).free = toUnits(amount)
  }

  assets(): string[] {
    return [...this.#assets.keys()].sort()
  }

  of(asset: string): { readonly free: number; readonly locked: number } {
    const { free, locked } = this.#assets.get(asset) ?? { free: 0n, locked: 0n }
    return { free: fromUnits(free), locked: fromUnits(locked) }
  }

  /** Refuses unless `amount` of `asset` is free. */
  demand(asset: string, amount: number): void {
    if (toUnits(amount) > this.#at(asset).free) throw refusals.insufficientBalance()
  }

  /** Adds to what is free; a negative amount takes from it. */
  add(asset: string, amount: number): void {
    this.#at(asset).free += toUnits(amount)
  }

  /** Locks what is free. */
  hold(asset: string, amount: number): Hold {
    this.demand(asset, amount)
    const units = toUnits(amount)
    const balance = this.#at(asset)
    balance.free -= units
    balance.locked += units
    return { asset, units }
  }

  /** Spends from what is locked. */
  spend(hold: Hold, amount: number): void {
    const units = toUnits(amount)
    hold.units -= units
    this.#at(hold.asset).locked -= units
  }

  /** Gives back what was not spent. */
  release(hold: Hold): void {
    const balance = this.#at(hold.asset)
    balance.locked -= hold.units
    balance.free += hold.units
    hold.units = 0n
  }

  #at(asset: string): Balance {
    let balance = this.#assets.get(asset)
    if (balance === undefined) this.#assets.set(asset, balance = { free: 0n, locked: 0n })
    return balance
  }
}
