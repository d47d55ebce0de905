import type { Desk } from '../data/desk.ts'
import { age, clock } from '../data/format.ts'
import { harmless } from '../data/text.ts'
import { choose, isDark } from '../data/theme.ts'
import { Badge } from '../parts/bits.tsx'

const VENUES: Readonly<Record<string, { readonly tone: string; readonly says: string }>> = {
  mainnet: { tone: 'mainnet', says: 'MAINNET · real money' },
  testnet: { tone: 'info', says: 'Testnet' },
  demo: { tone: 'info', says: 'Demo' },
  practice: { tone: 'plain', says: 'Practice exchange' },
  paper: { tone: 'plain', says: 'Paper' },
  public: { tone: 'plain', says: 'Paper · prices of Binance' },
}

export function Top({ desk }: { readonly desk: Desk }) {
  const run = desk.store.run.value
  const venue = run === null ? null : VENUES[run.venue] ?? { tone: 'plain', says: run.venue }
  return (
    <header class={run?.venue === 'mainnet' ? 'top real' : 'top'}>
      <h1>Tapedeck</h1>
      {venue !== null && <Badge tone={venue.tone}><span class="sr">Venue: </span>{harmless(venue.says)}</Badge>}
      <p class="which">{run === null ? '' : [run.scenario, run.strategy, run.symbols.join(', '), run.timeframe]
        .filter((part) => part !== null && part !== '').map((part) => harmless(String(part))).join(' · ')}</p>
      <Link desk={desk} />
      <button type="button" class="quiet" aria-label="Dark colours" aria-pressed={isDark()} onClick={() => choose(isDark() ? 'light' : 'dark')}>
        <span aria-hidden="true">◐</span> <span class="wide-only">Dark</span>
      </button>
    </header>
  )
}

function Link({ desk }: { readonly desk: Desk }) {
  const { link, stale } = desk.follower.connection.value
  if (link === 'connecting') return <Badge tone="plain">○ Connecting</Badge>
  return stale ? <Badge tone="bad">✕ Stale</Badge> : <Badge tone="good">● Live</Badge>
}

/** Says that what is shown may be old, and since when. */
export function Stale({ desk }: { readonly desk: Desk }) {
  const { stale, since, retryAt } = desk.follower.connection.value
  const now = desk.follower.now.value
  const wait = retryAt === null ? null : Math.max(0, Math.ceil((retryAt - now) / 1_000))
  return (
    <div role="status" class="banner-box">
      {stale && <div class="banner">
        <p><strong>{since === null ? 'The server does not answer.' : `Stale since ${clock(since)} UTC`}</strong>
          {since !== null && <span class="soft" aria-hidden="true"> ({age(since, now) ?? 'long ago'})</span>}
          {' '}What is shown here may be old; the loop may still be trading.</p>
        <p aria-hidden="true" class="n">{wait === null || wait === 0 ? 'Trying again …' : `Next try in ${wait} s`}</p>
        <button type="button" onClick={() => desk.follower.again()}>Try now</button>
      </div>}
    </div>
  )
}
