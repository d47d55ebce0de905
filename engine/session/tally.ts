import type { Status } from '../core/opinion.ts'

/** What providers said: shared by lanes that share opinions. */
export class OpinionTally {
  held = 0
  total = 0
  /** Answers per position in the chain. */
  readonly byLink: Float64Array

  constructor(links: number) {
    this.byLink = new Float64Array(links)
  }

  count(link: number, held: boolean): void {
    this.total++
    this.byLink[link]++
    if (held) this.held++
  }
}

/** What became of one lane's decisions other than HOLD. */
export class OutcomeTally {
  readonly byStatus = new Map<Status, number>()
  readonly byReason = new Map<string, number>()

  count(status: Status, reason: string | null): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1)
    if (reason !== null) this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1)
  }
}
