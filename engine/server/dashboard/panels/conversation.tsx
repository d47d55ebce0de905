import { useEffect, useState } from 'preact/hooks'
import { get, messageOf } from '../data/api.ts'
import { clock, latency, number, parseTime, percent } from '../data/format.ts'
import { asText, harmless, words } from '../data/text.ts'
import type { Asked, Reply, WholeDecision } from '../data/types.ts'
import { Prose } from '../parts/bits.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/panel.tsx'

type Part = Readonly<Record<string, unknown>>
const part = (value: unknown): Part => typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Part : {}
const isNone = (value: unknown): value is null | undefined => value === null || value === undefined
const list = (value: unknown): readonly unknown[] => Array.isArray(value) ? value as unknown[] : []
const text = (value: unknown): string => isNone(value) ? '–' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'string' ? value : asText(value)

/** One decision with everything that was said on the way to it. */
export function Conversation({ id, close }: { readonly id: number; readonly close: () => void }) {
  const [whole, setWhole] = useState<WholeDecision | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const load = (): void => {
    setTrouble(null)
    get<WholeDecision>(`/api/decisions/${id}`).then(setWhole, (error: unknown) => setTrouble(messageOf(error)))
  }
  useEffect(load, [id])
  return (
    <Dialog title={`Decision ${id}`} wide close={close}>
      {trouble !== null ? <Failure message={trouble} again={load} />
        : whole === null ? <p class="note loading" role="status">Loading …</p> : <Whole of={whole} />}
    </Dialog>
  )
}

function Whole({ of }: { readonly of: WholeDecision }) {
  const phases = part(of['phases'])
  const { conversation } = of
  const turns = list(phases['refinement'])
  return (
    <div class="whole" tabIndex={0} role="region" aria-label="Conversation">
      <p class="summary"><strong>{harmless(text(of['action']))} {harmless(text(of['symbol']))}</strong>
        {' '}at {clock(parseTime(text(of['timestamp'])))} UTC by {harmless(text(of['provider']))}{isNone(of['model']) ? '' : `, ${harmless(text(of['model']))}`}:
        {' '}<strong>{harmless(words(text(of['status'])))}</strong>{isNone(of['reason']) ? '' : ` (${harmless(words(text(of['reason'])))})`}</p>
      <Prose text={text(of['reasoning'])} />
      <h3>Phases</h3>
      <ol class="turns">
        <Opinion title="1 Initial analysis" of={part(phases['initial'])} />
        {turns.length === 0 && <Opinion title="2 Refinement" of={{}} />}
        {turns.map((turn, index) => <Opinion key={index} title={`2 Refinement, turn ${index + 1}`} of={part(turn)} />)}
        <Checks title="3 Risk validation" of={part(phases['risk'])} />
        <Checks title="4 Confidence" of={part(phases['confidence'])} />
      </ol>
      <h3>Who was asked</h3>
      {conversation === undefined || conversation.length === 0 ? <p class="note">No service was asked, or the trail does not tell.</p>
        : <ol class="turns">{conversation.map((asked, index) => <Service key={index} asked={asked} />)}</ol>}
      <details><summary>Market as it was seen</summary><Values of={part(of['market_data'])} /></details>
      <details><summary>The whole line of the trail</summary><Prose text={asText(of)} most={4_000} /></details>
    </div>
  )
}

function Opinion({ title, of }: { readonly title: string; readonly of: Part }) {
  const { action, confidence, reasoning } = of
  if (action === undefined) return <li><h4>{title}</h4><p class="soft">Not asked.</p></li>
  return (
    <li>
      <h4>{title}: {harmless(text(action))}{typeof confidence === 'number' ? `, ${percent(confidence, { digits: 1 })}` : ''}</h4>
      <Prose text={text(reasoning)} most={800} />
    </li>
  )
}

function Checks({ title, of }: { readonly title: string; readonly of: Part }) {
  const { checks, ...rest } = of
  const judged = Object.entries(part(checks))
  if (Object.keys(of).length === 0) return <li><h4>{title}</h4><p class="soft">Not asked.</p></li>
  return (
    <li>
      <h4>{title}</h4>
      <Values of={rest} />
      {judged.length > 0 && <ul class="checks">{judged.map(([rule, passed]) =>
        <li key={rule} class={passed === true ? 'yes' : 'no'}>{passed === true ? '✓' : '✕'} {words(rule)}<span class="sr">{passed === true ? ' passed' : ' refused'}</span></li>)}</ul>}
    </li>
  )
}

const Values = ({ of }: { readonly of: Part }) => (
  <dl class="values">{Object.entries(of).map(([name, value]) => (
    <div key={name}><dt>{harmless(words(name))}</dt>
      <dd>{typeof value === 'number' ? number(value, Number.isInteger(value) ? 0 : 4) : harmless(text(value))}</dd></div>
  ))}</dl>
)

const Service = ({ asked: { provider, skipped, replies } }: { readonly asked: Asked }) => (
  <li>
    <h4>{harmless(provider)}{isNone(skipped) ? '' : `: not asked (${harmless(words(text(skipped)))})`}</h4>
    {replies.map((reply, index) => <Answer key={index} reply={reply} number={index + 1} />)}
  </li>
)

/** A failure is a kind with a message, or anything else. */
function failed(failure: unknown): string {
  const { kind, message } = part(failure)
  return typeof kind === 'string' && typeof message === 'string' ? `${words(kind)}: ${message}` : text(failure)
}

function Answer({ reply: { answer, failure, latency_ms: ms, attempts, usage }, number: turn }: { readonly reply: Reply; readonly number: number }) {
  const said = part(answer)
  const head = !isNone(failure) ? 'failed' : `${text(said['action'])}${typeof said['confidence'] === 'number' ? `, ${percent(said['confidence'], { digits: 1 })}` : ''}`
  return (
    <div class="answer">
      <p class="small"><strong>Answer {turn}: {harmless(head)}</strong>
        <span class="soft"> {latency(ms)}{attempts !== null && attempts > 1 ? `, ${attempts} attempts` : ''}{isNone(usage) ? '' : `, ${harmless(asText(usage).replaceAll(/[{}"\s]+/g, ' ').trim())}`}</span></p>
      <Prose text={!isNone(failure) ? failed(failure) : typeof said['reasoning'] === 'string' ? said['reasoning'] : text(answer)} most={1_200} />
    </div>
  )
}
