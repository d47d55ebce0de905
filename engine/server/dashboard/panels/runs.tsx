import type { Store } from '../data/store.ts'
import { course, minute, NONE, parseTime, percent } from '../data/format.ts'
import { harmless, shortened, words } from '../data/text.ts'
import type { PastRun } from '../data/types.ts'
import { Table } from '../parts/bits.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

const isOver = ({ state }: PastRun): boolean => state !== 'running'

export const Runs = ({ store }: { readonly store: Store }) => (
  <Panel id="runs" title="Finished runs">
    <Shown of={store.runs} none={(list) => !list.some(isOver)} empty="No run has finished yet.">
      {(list) => (
        <Table label="Finished runs, newest first" head={['Started', 'Scenario', '#Return', 'Report', 'State', 'Kind', 'Symbols', '#Trades']}>
          {list.filter(isOver).map((one) => (
            <tr key={one.run}>
              <td>{one.started_at === null ? NONE : minute(parseTime(one.started_at))}</td>
              <th scope="row" title={`${one.scenario ?? ''} ${one.run}`.trim()}>{harmless(shortened(one.scenario ?? one.run, 40))}</th>
              <td class={`n ${course(one.net_return)}`}>{percent(one.net_return, { signed: true })}</td>
              <td>{one.has_report
                ? <a href={`/api/runs/${encodeURIComponent(one.run)}/report`} target="_blank" rel="noopener">
                  Open<span class="sr"> the report of {one.run}</span></a>
                : NONE}</td>
              <td>{words(one.state)}</td>
              <td>{words(one.kind)}</td>
              <td>{harmless(shortened(one.symbols.join(', '), 60))} {one.timeframe ?? ''}</td>
              <td class="n">{one.trades ?? NONE}</td>
            </tr>
          ))}
        </Table>
      )}
    </Shown>
  </Panel>
)
