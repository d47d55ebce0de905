import type { Store } from '../data/store.ts'
import { course, money, percent } from '../data/format.ts'
import { harmless, shortened } from '../data/text.ts'
import { Table } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

export const Lanes = ({ store }: { readonly store: Store }) => (
  <Panel id="lanes" title="Shadow lanes">
    <Shown of={store.lanes} none={(list) => list.length < 2}
      empty="No shadow lane: name some under “shadow” in the scenario to compare on the same candles.">
      {(list) => (
        <Table label="Lanes" head={['Lane', '#Equity', '#Return', '#Worst fall', '#Trades', '#Won', '#Open']}>
          {list.map((one, index) => (
            <tr key={one.name}>
              <th scope="row">{harmless(shortened(one.name, 60))}{index === 0 && <span class="soft"> (trades)</span>}
                <span class="soft block">{harmless(shortened(one.description, 200))}</span></th>
              <td class="n">{money(one.equity, store.digits)}</td>
              <td class={`n ${course(one.net_return)}`}>{percent(one.net_return, { signed: true })}</td>
              <td class="n">{percent(one.max_drawdown)}</td>
              <td class="n">{one.trades}</td>
              <td class="n">{percent(one.win_rate, { digits: 0 })}</td>
              <td class="n">{one.open_positions}</td>
            </tr>
          ))}
        </Table>
      )}
    </Shown>
  </Panel>
)
