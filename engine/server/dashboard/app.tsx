import type { Desk } from './data/desk.ts'
import { harmless } from './data/text.ts'
import { Alarms } from './panels/alarms.tsx'
import { Conversation } from './panels/conversation.tsx'
import { Decisions } from './panels/decisions.tsx'
import { Equity } from './panels/equity.tsx'
import { Figures } from './panels/figures.tsx'
import { Lanes } from './panels/lanes.tsx'
import { Login } from './panels/login.tsx'
import { Market } from './panels/market.tsx'
import { Positions } from './panels/positions.tsx'
import { Runs } from './panels/runs.tsx'
import { Services } from './panels/services.tsx'
import { Session } from './panels/session.tsx'
import { Stale, Top } from './panels/top.tsx'
import { Trades } from './panels/trades.tsx'
import { Announcer } from './parts/announcer.tsx'
import { Prose } from './parts/bits.tsx'
import { Confirm } from './parts/confirm.tsx'

export function App({ desk }: { readonly desk: Desk }) {
  const { store } = desk
  if (store.locked.value) return <Login desk={desk} />
  const { stale } = desk.follower.connection.value
  return (
    <>
      <a class="skip" href="#session">Skip to the session</a>
      <Top desk={desk} />
      <Stale desk={desk} />
      <Notice desk={desk} />
      <main class={stale ? 'desk stale' : 'desk'} aria-busy={store.loading}>
        <div class="side"><Session desk={desk} /><Figures store={store} /></div>
        <div class="middle">
          <Market store={store} /><Positions desk={desk} /><Decisions desk={desk} />
          <Equity store={store} /><Trades store={store} /><Lanes store={store} /><Runs store={store} />
        </div>
        <div class="side rest"><Services desk={desk} /><Alarms store={store} /><Notes desk={desk} /></div>
      </main>
      <footer class="foot">
        <p>All times are UTC. Charts: <a href="https://www.tradingview.com/" rel="noopener noreferrer">TradingView</a> Lightweight Charts™.
          {' '}<a href="/docs">API</a></p>
      </footer>
      <Announcer newest={store.decisions.value?.[0] ?? null} />
      <Dialogs desk={desk} />
    </>
  )
}

function Dialogs({ desk }: { readonly desk: Desk }) {
  const [question, opened] = [desk.question.value, desk.opened.value]
  if (question !== null) return <Confirm question={question} close={() => { desk.question.value = null }} />
  return opened === null ? null : <Conversation key={opened} id={opened} close={() => { desk.opened.value = null }} />
}

function Notice({ desk }: { readonly desk: Desk }) {
  const notice = desk.notice.value
  return (
    <div role="status" class="notice-box">
      {notice !== null && <div class={notice.failed ? 'notice failed' : 'notice'}>
        <p>{notice.failed && <strong>Refused: </strong>}{harmless(notice.text)}</p>
        <button type="button" class="quiet" aria-label="Dismiss this message" onClick={() => { desk.notice.value = null }}>✕</button>
      </div>}
    </div>
  )
}

/** What the run says of itself. */
function Notes({ desk }: { readonly desk: Desk }) {
  const notes = desk.store.run.value?.notes ?? []
  if (notes.length === 0) return null
  return (
    <section class="panel" aria-labelledby="notes-title">
      <header><h2 id="notes-title">Notes</h2></header>
      <ul class="says">{notes.map((note) => <li key={note}><Prose text={note} most={300} /></li>)}</ul>
    </section>
  )
}
