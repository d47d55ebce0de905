import { PriceChart } from '../charts/price-chart.ts'
import type { Store } from '../data/store.ts'
import { minute, price } from '../data/format.ts'
import { harmless } from '../data/text.ts'
import type { Candles } from '../data/types.ts'
import { Chart } from '../parts/chart.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

const draw = (box: HTMLElement): PriceChart => new PriceChart(box)

export function Market({ store }: { readonly store: Store }) {
  const none = store.run.value?.symbols.length === 0
  return (
    <Panel id="market" title="Market" aside={<Picker store={store} />}>
      {none ? <p class="note">No run, no market.</p> : (
        <Shown of={store.candles} none={({ candles }) => candles.length === 0} empty="No candle yet.">
          {(data) => <Chart tall make={draw} data={data} says={told(data)} />}
        </Shown>
      )}
    </Panel>
  )
}

function Picker({ store }: { readonly store: Store }) {
  const symbols = store.run.value?.symbols ?? []
  const timeframe = store.candles.value?.timeframe ?? store.run.value?.timeframe
  const chosen = store.symbol.value ?? ''
  return (
    <span class="picker">
      {symbols.length > 1 ? (
        <select aria-label="Symbol" value={chosen} onChange={({ currentTarget }) => void store.show(currentTarget.value)}>
          {symbols.map((symbol) => <option key={symbol} value={symbol}>{harmless(symbol)}</option>)}
        </select>
      ) : <strong>{harmless(chosen)}</strong>}{' '}
      <span class="soft">{timeframe ?? ''}</span>
    </span>
  )
}

/** The chart in words. */
function told({ symbol, candles, marks, position }: Candles): string {
  const last = candles.at(-1)!
  const [high, low] = [Math.max(...candles.map((one) => one[2])), Math.min(...candles.map((one) => one[3]))]
  const first = candles[0][0]
  const count = (kind: string): number => marks.filter((mark) => mark.kind === kind && mark.time >= first).length
  const open = position === null ? 'no open position'
    : `entry ${price(position.entry_price)}, stop ${price(position.stop)}, target ${price(position.target)}`
  return `${harmless(symbol)}: ${price(last[4])} at ${minute(last[0])} UTC; ${candles.length} candles between ${price(low)} and ${price(high)}; `
    + `entries ${count('entry')}, exits ${count('exit')}; ${open}.`
}
