import { signal } from '@preact/signals'
import type { Desk } from '../data/desk.ts'
import { clock, dollars, latency, parseTime } from '../data/format.ts'
import { cut, harmless, shortened, words } from '../data/text.ts'
import type { Decision } from '../data/types.ts'
import { ConfidenceBar } from '../parts/confidence-bar.tsx'
import { Badge } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'
import { Phases } from '../parts/phases.tsx'

const TONES: Readonly<Record<string, string>> = {
  EXECUTED: 'good', SIGNAL: 'info', FAILED: 'bad', ERROR: 'bad', REJECTED: 'warn', UNKNOWN: 'bad', MISSED: 'warn',
}

const acted = signal(false)

export const Decisions = ({ desk }: { readonly desk: Desk }) => (
  <Panel id="decisions" title="Decisions" aside={
    <label class="check"><input type="checkbox" checked={acted.value} onChange={({ currentTarget }) => { acted.value = currentTarget.checked }} />
      {' '}without skipped</label>}>
    <Shown of={desk.store.decisions} none={(list) => list.length === 0} empty="No decision yet: the first comes with the next closed candle.">
      {(list) => <Feed desk={desk} list={acted.value ? list.filter(({ status }) => status !== 'SKIPPED') : list} />}
    </Shown>
  </Panel>
)

function Feed({ desk, list }: { readonly desk: Desk; readonly list: readonly Decision[] }) {
  if (list.length === 0) return <p class="note">All of the newest decisions were skipped.</p>
  return (
    <ol class="feed" tabIndex={0} aria-label="Decisions, newest first">
      {list.map((one) => <Row key={one.id} desk={desk} one={one} />)}
    </ol>
  )
}

function Row({ desk, one }: { readonly desk: Desk; readonly one: Decision }) {
  const run = desk.store.run.value
  const time = clock(parseTime(one.timestamp))
  // A missing key never changes: the services say it once.
  const failed = one.fallbacks.filter(({ error }) => error !== 'no-key')
  return (
    <li data-decision={one.id}>
      <button type="button" class="open" aria-haspopup="dialog" onClick={() => { desk.opened.value = one.id }}
        aria-label={`Conversation: ${one.action} ${one.symbol}, ${time}`}>
        <time dateTime={one.timestamp}>{time}</time>
      </button>
      <p class="what"><strong class={`act ${one.action.toLowerCase()}`}>{harmless(one.action)}</strong> {harmless(one.symbol)}</p>
      <ConfidenceBar decision={one} policy={run?.policy ?? {}} breakEven={run?.break_even ?? null} compact />
      <p class="who">{harmless(one.provider ?? 'nobody')}
        {failed.length > 0 && <span class="soft block">
          after {failed.map(({ provider, error }) => `${harmless(provider)} (${harmless(words(cut(error, 60)))})`).join(', ')}
        </span>}
        <span class="soft block">{latency(one.latency_ms)}{one.cost_usd > 0 ? ` · ${dollars(one.cost_usd)}` : ''}</span>
      </p>
      <Phases of={one} />
      <p class="status"><Badge tone={TONES[one.status] ?? 'plain'}>{harmless(words(one.status))}</Badge>
        {one.reason !== null && <span class="soft block">{harmless(words(cut(one.reason, 120)))}</span>}</p>
      <p class="said" dir="auto">{one.reasoning === '' ? <span class="soft">No reasoning.</span> : harmless(shortened(one.reasoning, 280))}</p>
    </li>
  )
}
