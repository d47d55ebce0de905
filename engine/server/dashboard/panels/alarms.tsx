import type { Store } from '../data/store.ts'
import { clock, parseTime } from '../data/format.ts'
import { harmless, shortened, words } from '../data/text.ts'
import type { Alarm } from '../data/types.ts'
import { Prose } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

export const Alarms = ({ store }: { readonly store: Store }) => (
  <Panel id="alarms" title="Alarms">
    <Shown of={store.alarms} none={(list) => list.length === 0} empty="No alarm in this run.">
      {(list) => (
        <ol class="alarms" tabIndex={0} aria-label="Alarms, newest first">
          {list.map((one) => (
            <li key={one.id}>
              <p><strong>▲ {harmless(words(shortened(one.event, 60)))}</strong>{one.symbol !== null && ` ${harmless(one.symbol)}`}{' '}
                <time class="soft">{one.time === null ? '' : clock(parseTime(one.time))}</time></p>
              <Prose text={facts(one)} most={300} />
            </li>
          ))}
        </ol>
      )}
    </Shown>
  </Panel>
)

/** The text begins with the event's name, which is said already. */
function facts({ event, text }: Alarm): string {
  const name = words(event)
  return text.startsWith(`${name}; `) ? text.slice(name.length + 2) : text
}
