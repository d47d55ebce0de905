import type { Desk } from '../data/desk.ts'
import { age, clock, parseTime, percent } from '../data/format.ts'
import { harmless, words } from '../data/text.ts'
import type { Decision, Run, Status } from '../data/types.ts'
import { Badge, Fact } from '../parts/bits.tsx'
import { ConfidenceBar } from '../parts/confidence-bar.tsx'
import { Panel, Shown } from '../parts/panel.tsx'

const RISK = {
  RUNNING: { tone: 'good', says: 'Running' },
  REDUCING: { tone: 'warn', says: 'Reducing: exits only' },
  HALTED: { tone: 'bad', says: 'Halted: no orders' },
} as const

/** Nothing can be done any more. What failed may still hold something, so that it can be acted on. */
export const over = (run: Run | null, status: Status | null): boolean =>
  run?.state === 'finished' && status?.is_running !== true && status?.enabled !== true

/** State of the loop and what a person may do with it. */
export function Session({ desk }: { readonly desk: Desk }) {
  const { store } = desk
  const run = store.run.value
  return (
    <Panel id="session" title="Session" aside={run === null ? null : <span class="soft">{words(run.kind)}</span>}>
      <Shown of={store.status}>{(status) => <State desk={desk} status={status} run={run} />}</Shown>
    </Panel>
  )
}

function State({ desk, status, run }: { readonly desk: Desk; readonly status: Status; readonly run: Run | null }) {
  const last = desk.store.decisions.value?.[0] ?? null
  const risk = desk.store.risk.value
  // The run goes on, but not in the process that serves this page, which cannot stop it.
  const watched = run?.state === 'running' && !status.is_running && !status.enabled
  return (
    <>
      <dl class="facts">
        <Fact name="Loop">
          {status.is_running ? <Badge tone="good">● Running</Badge>
            : watched ? <Badge tone="good">● Runs in another process</Badge> : <Badge tone="warn">■ {ended(run) ?? 'Stopped'}</Badge>}
        </Fact>
        <Fact name="Mode">{status.mode === 'AUTONOMOUS' ? 'Autonomous' : 'Manual: signals only'}</Fact>
        <Fact name="Risk">
          {risk === null ? '–' : <Badge tone={RISK[risk.state]?.tone ?? 'warn'}>{RISK[risk.state]?.says ?? risk.state}</Badge>}
          {risk !== null && risk.reason !== null && <span class="soft reason">{harmless(words(risk.reason))}
            {risk.since === null ? '' : `, since ${clock(parseTime(risk.since))}`}</span>}
        </Fact>
        <Fact name="Decisions"><span class="n">{status.loop_iterations}</span> made, <span class="n">{status.trades_executed}</span> executed</Fact>
      </dl>
      {last === null && desk.store.decisions.value === null ? <Told status={status} /> : <Last desk={desk} last={last} run={run} />}
      {over(run, status) ? <p class="note">This run has ended: there is nothing to start or to stop.</p>
        : <Acts desk={desk} watched={watched} running={status.is_running} halted={risk?.state !== undefined && risk.state !== 'RUNNING'} />}
    </>
  )
}

const ENDED: Readonly<Record<string, string>> = { finished: 'Finished', failed: 'Failed', crashed: 'Crashed: no process runs it' }
const ended = (run: Run | null): string | null => ENDED[run?.state ?? ''] ?? null

/** What the status alone tells of the last decision, as long as the decisions are not there. */
const Told = ({ status: { last_decision_time: time, current_confidence: confidence } }: { readonly status: Status }) => time === null ? null
  : <p class="note">Last decision {clock(parseTime(time))}, confidence {percent(confidence, { digits: 0 })}.</p>

function Last({ desk, last, run }: { readonly desk: Desk; readonly last: Decision | null; readonly run: Run | null }) {
  if (last === null) return <p class="note">No decision yet: the first comes with the next closed candle.</p>
  const time = parseTime(last.timestamp)
  const ago = age(time, desk.follower.now.value)
  return (
    <div class="last">
      <p class="spread">
        <span><span class="soft">Last</span> <strong>{harmless(last.action)} {harmless(last.symbol)}</strong></span>{' '}
        <time dateTime={last.timestamp} title={`${clock(time)} UTC`}>{ago ?? clock(time)}</time>
      </p>
      <ConfidenceBar decision={last} policy={run?.policy ?? {}} breakEven={run?.break_even ?? null} />
      {run !== null && run.base_rate !== null && <p class="soft small">A walk without skill reaches the target first {percent(run.base_rate, { digits: 1 })} of the time.</p>}
    </div>
  )
}

function Acts({ desk, watched, running, halted }: {
  readonly desk: Desk
  readonly watched: boolean
  readonly running: boolean
  readonly halted: boolean
}) {
  const busy = desk.busy.value
  return (
    <div class="acts" role="group" aria-label="Controls">
      <button type="button" class={running ? '' : 'primary'} disabled={watched || busy.has('toggle')} onClick={() => desk.toggle()}>
        {running ? '■ Stop the loop' : '▶ Start the loop'}
      </button>
      <button type="button" disabled={watched || busy.has('risk')} onClick={() => desk.risk(halted ? 'resume' : 'halt')}>
        {halted ? 'Resume trading' : 'Halt trading'}
      </button>
      <button type="button" class="danger" disabled={watched} onClick={() => desk.panic()}>⚠ Panic …</button>
      {watched && <p class="small soft">This page only watches: “tapedeck close” and “tapedeck panic” act on it.</p>}
    </div>
  )
}
