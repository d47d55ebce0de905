import { VirtualClock } from '../../engine/real-clock.ts'

/** Hours of patience in no time, from the first of January 2025 on. */
export class EventClock extends VirtualClock {
  constructor(now = Date.UTC(2025, 0, 1)) {
    super(now)
  }
}
