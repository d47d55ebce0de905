import { useEffect, useState } from 'preact/hooks'
import type { Decision } from '../data/types.ts'
import { percent } from '../data/format.ts'
import { harmless, words } from '../data/text.ts'

/** Seldom enough that a run at full speed can be listened to, in ms. */
const PAUSE_MS = 5_000

/** Says new decisions to screen readers, the newest where many come at once. */
export function Announcer({ newest }: { readonly newest: Decision | null }) {
  const [said, setSaid] = useState<{ readonly id: number; readonly text: string; readonly at: number } | null>(null)
  useEffect(() => {
    if (newest === null || said?.id === newest.id) return
    const { id, action, symbol, confidence, status } = newest
    // What was there when the page opened is read with the page.
    const text = said === null ? '' : `${action} ${symbol}, ${confidence === null ? '' : `confidence ${percent(confidence, { digits: 0 })}, `}${words(status)}`
    const timer = setTimeout(() => setSaid({ id, text, at: Date.now() }), Math.max(0, (said?.at ?? 0) + PAUSE_MS - Date.now()))
    return () => clearTimeout(timer)
  }, [newest, said])
  return <p class="sr" aria-live="polite">{harmless(said?.text ?? '')}</p>
}
