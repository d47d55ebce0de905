import type { Desk } from '../data/desk.ts'
import { clock, course, parseTime, percent, price, quantity, signedMoney } from '../data/format.ts'
import { harmless } from '../data/text.ts'
import { Badge, Table } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'
import { over } from './session.tsx'

const HEAD = ['Symbol', '#Profit', '#Return', '#Price', '#Stop', '#Target', '#Entry', '#Quantity', 'Since', 'Act']

export const Positions = ({ desk }: { readonly desk: Desk }) => (
  <Panel id="positions" title="Positions">
    <Shown of={desk.store.positions} none={(list) => list.length === 0} empty="No open position.">
      {(list) => (
        <Table label="Open positions" head={HEAD}>
          {list.map((one) => (
            <tr key={one.symbol}>
              <th scope="row">{harmless(one.symbol)}</th>
              <td class={`n ${course(one.open_pnl)}`}>{signedMoney(one.open_pnl, desk.store.digits)}</td>
              <td class={`n ${course(one.open_return)}`}>{percent(one.open_return, { signed: true })}</td>
              <td class="n">{price(one.price)}</td>
              <td class="n">{price(one.stop)}</td>
              <td class="n">{price(one.target)}</td>
              <td class="n">{price(one.entry_price)}</td>
              <td class="n">{quantity(one.quantity)}</td>
              <td>{clock(parseTime(one.entry_time))}</td>
              <td>
                {one.leaving ? <Badge tone="warn">Leaving</Badge> : over(desk.store.run.value, desk.store.status.value) ? '–'
                  : <button type="button" class="small" aria-label={`Close ${one.symbol}`} onClick={() => desk.leave(one.symbol)}>Close …</button>}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Shown>
  </Panel>
)
