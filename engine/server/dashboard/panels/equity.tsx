import { EquityChart } from '../charts/equity-chart.ts'
import type { Store } from '../data/store.ts'
import { minute, money, moneyDigits, percent } from '../data/format.ts'
import type { Equity as Values } from '../data/types.ts'
import { Chart } from '../parts/chart.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

const draw = (box: HTMLElement): EquityChart => new EquityChart(box)

export const Equity = ({ store }: { readonly store: Store }) => (
  <Panel id="equity" title="Equity and drawdown">
    <Shown of={store.equity} none={({ points }) => points.length === 0} empty="Nothing has been earned or lost yet.">
      {(data) => <Chart make={draw} data={data} says={told(data, store.run.value?.currency ?? '')} />}
    </Shown>
  </Panel>
)

function told({ start, points }: Values, currency: string): string {
  const [time, equity, drawdown] = points.at(-1)!
  const worst = Math.min(...points.map((point) => point[2]))
  const digits = moneyDigits(equity)
  const since = start === null || start === 0 ? '' : ` (${percent(equity / start - 1, { signed: true })} of ${money(start, digits)})`
  return `Equity ${money(equity, digits)} ${currency}${since} at ${minute(time)} UTC; drawdown ${percent(drawdown)}, at worst ${percent(worst)}.`
}
