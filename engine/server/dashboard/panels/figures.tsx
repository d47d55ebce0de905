import type { Store } from '../data/store.ts'
import { clock, course, dollars, money, number, parseTime, percent, signedMoney } from '../data/format.ts'
import { words } from '../data/text.ts'
import type { Figures as Values } from '../data/types.ts'
import { Fact } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

/** Names of figures that are fractions, as percent; the others are plain numbers. */
const FRACTION = /return|drawdown|rate|coverage|exposure|precision|hold|flat|share|expectancy|average/i

const value = (name: string, one: number | null): string =>
  FRACTION.test(name) ? percent(one, { signed: /return|hold|expectancy|average/i.test(name) })
    : number(one, Number.isInteger(one) ? 0 : 2)

export const Figures = ({ store }: { readonly store: Store }) => (
  <Panel id="figures" title="Figures" aside={<Since store={store} />}>
    <Shown of={store.figures}>{(figures) => <Tiles figures={figures} digits={store.digits} currency={store.run.value?.currency ?? ''} />}</Shown>
  </Panel>
)

function Since({ store }: { readonly store: Store }) {
  const since = store.figures.value?.since
  return since === null || since === undefined ? null : <span class="soft">since {clock(parseTime(since))}</span>
}

function Tiles({ figures, digits, currency }: { readonly figures: Values; readonly digits: number; readonly currency: string }) {
  const { realised_pnl: realised, open_pnl: open } = figures
  return (
    <>
      <p class="big"><span class="n">{money(figures.equity, digits)}</span> <span class="soft">{currency} equity</span></p>
      <dl class="facts two">
        <Fact name="Realised" tone={`n ${course(realised)}`}>{signedMoney(realised, digits)}</Fact>
        <Fact name="Open" tone={`n ${course(open)}`}>{signedMoney(open, digits)}</Fact>
        <Fact name="Cash" tone="n">{money(figures.cash, digits)}</Fact>
        <Fact name="Drawdown" tone={`n ${course(figures.drawdown)}`}>{percent(figures.drawdown)}</Fact>
        <Fact name="Trades" tone="n">{figures.trades}</Fact>
        <Fact name="Won" tone="n">{percent(figures.win_rate, { digits: 1 })}</Fact>
        <Fact name="AI cost" tone="n">{dollars(figures.ai_cost)}</Fact>
        <Fact name="AI answered" tone="n">{percent(figures.coverage, { digits: 1 })}</Fact>
      </dl>
      <Named title="Baselines" values={figures.baselines} />
      <Named title="All figures" values={figures.figures} folded />
    </>
  )
}

function Named({ title, values, folded = false }: {
  readonly title: string
  readonly values: Readonly<Record<string, number | null>>
  readonly folded?: boolean
}) {
  const rows = Object.entries(values)
  if (rows.length === 0) return null
  const list = <dl class="facts">{rows.map(([name, one]) => <Fact key={name} name={words(name)} tone="n">{value(name, one)}</Fact>)}</dl>
  return folded ? <details><summary>{title}</summary>{list}</details> : <div class="named"><h3>{title}</h3>{list}</div>
}
