import type { Store } from '../data/store.ts'
import { clock, course, parseTime, percent, price, quantity, signedMoney } from '../data/format.ts'
import { harmless, words } from '../data/text.ts'
import { Table } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

/** What matters most comes first: a narrow screen shows no more without a push. */
const HEAD = ['Closed', 'Symbol', '#Profit', '#Return', 'Why', '#Quantity', '#Entry', '#Exit']

export const Trades = ({ store }: { readonly store: Store }) => (
  <Panel id="trades" title="Closed trades">
    <Shown of={store.trades} none={(list) => list.length === 0} empty="No trade has been closed yet.">
      {(list) => (
        <Table label="Closed trades, newest first" head={HEAD}>
          {list.map((one) => (
            <tr key={`${one.symbol} ${one.exit_time}`}>
              <td>{clock(parseTime(one.exit_time))}</td>
              <th scope="row">{harmless(one.symbol)}</th>
              <td class={`n ${course(one.pnl)}`}>{signedMoney(one.pnl, store.digits)}</td>
              <td class={`n ${course(one.net_return)}`}>{percent(one.net_return, { signed: true })}</td>
              <td>{harmless(words(one.reason))}</td>
              <td class="n">{quantity(one.quantity)}</td>
              <td class="n">{price(one.entry_price)}</td>
              <td class="n">{price(one.exit_price)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Shown>
  </Panel>
)
