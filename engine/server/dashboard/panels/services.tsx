import type { Desk } from '../data/desk.ts'
import { age, clock, dollars, latency, parseTime, percent } from '../data/format.ts'
import { harmless, shortened, words } from '../data/text.ts'
import type { Service } from '../data/types.ts'
import { Badge } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

const STATES = {
  ACTIVE: { tone: 'good', says: 'Active' },
  COOLING: { tone: 'warn', says: 'Cooling' },
  DISABLED: { tone: 'bad', says: 'Disabled' },
} as const

export const Services = ({ desk }: { readonly desk: Desk }) => (
  <Panel id="services" title="Backup services">
    <Shown of={desk.store.services} none={(list) => list.length === 0}
      empty="No AI service is configured: the technical rules decide.">
      {(list) => <ol class="services">{list.map((one) => <Row key={one.name} desk={desk} one={one} />)}</ol>}
    </Shown>
  </Panel>
)

function Row({ desk, one }: { readonly desk: Desk; readonly one: Service }) {
  const { tone, says } = STATES[one.state] ?? { tone: 'warn', says: one.state }
  const action = one.state === 'ACTIVE' ? 'disable' : 'enable'
  const errors = Object.entries(one.errors).filter(([, count]) => count > 0)
  const used = one.last_used === null ? null : parseTime(one.last_used)
  return (
    <li>
      <h3><span class="soft n">{one.priority ?? '–'}</span> {harmless(one.name)}</h3>
      <Badge tone={tone}>{says}</Badge>
      <button type="button" class="small" disabled={desk.busy.value.has(`service ${one.name}`)}
        aria-label={`${action === 'enable' ? 'Enable' : 'Disable'} ${one.name}`} onClick={() => desk.service(one.name, action)}>
        {action === 'enable' ? 'Enable' : 'Disable'}
      </button>
      <dl>
        <div><dt>Answered</dt><dd class="n">{percent(one.success_rate, { digits: 1 })}</dd></div>
        <div><dt><abbr title="median">p50</abbr></dt><dd class="n">{latency(one.latency_p50_ms)}</dd></div>
        <div><dt><abbr title="95th percentile">p95</abbr></dt><dd class="n">{latency(one.latency_p95_ms)}</dd></div>
        <div><dt>Cost</dt><dd class="n">{dollars(one.cost_usd)}</dd></div>
      </dl>
      <p class="small soft">
        <span>{used === null ? 'Never used' : `Used ${age(used, desk.follower.now.value) ?? clock(used)}`}. </span>
        {one.reason !== null && <span>Reason: {harmless(words(shortened(one.reason, 160)))}{one.until === null ? '' : ` until ${clock(parseTime(one.until))}`}. </span>}
        {errors.length > 0 && <span>Errors: {errors.map(([name, count]) => `${words(name)} ${count}`).join(', ')}.</span>}
      </p>
    </li>
  )
}
