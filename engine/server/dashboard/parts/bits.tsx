import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { number } from '../data/format.ts'
import { cut, harmless } from '../data/text.ts'

/** A short word with a colour that repeats what it says. */
export const Badge = ({ tone, children }: { readonly tone: string; readonly children: ComponentChildren }) =>
  <span class={`badge ${tone}`}>{children}</span>

/** Text of strangers, cut where it is long. */
export function Prose({ text, most = 2_000 }: { readonly text: string; readonly most?: number }) {
  const [all, setAll] = useState(false)
  const long = text.length > most
  return (
    <div class="prose">
      <p dir="auto">{harmless(all ? text : cut(text, most))}{long && !all ? ' …' : ''}</p>
      {long && <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
        {all ? 'Show less' : `Show all ${number(text.length, 0)} characters`}
      </button>}
    </div>
  )
}

/** A name and its value. */
export const Fact = ({ name, children, tone = '' }: {
  readonly name: string
  readonly children: ComponentChildren
  readonly tone?: string
}) => <div class="fact"><dt>{name}</dt><dd class={tone}>{children}</dd></div>

/** A table in a box that scrolls for itself, also with the keyboard. */
export const Table = ({ label, head, children }: {
  readonly label: string
  /** Headings; those that begin with `#` stand over numbers. */
  readonly head: readonly string[]
  readonly children: ComponentChildren
}) => (
  <div class="scroll" role="region" aria-label={label} tabIndex={0}>
    <table>
      <thead><tr>{head.map((text) => <th key={text} scope="col" class={text.startsWith('#') ? 'n' : ''}>{text.replace('#', '')}</th>)}</tr></thead>
      <tbody>{children}</tbody>
    </table>
  </div>
)
