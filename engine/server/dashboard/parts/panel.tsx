import type { ComponentChildren } from 'preact'
import type { Loaded, Resource } from '../data/resource.ts'
import { harmless } from '../data/text.ts'

interface Shell {
  readonly id: string
  readonly title: string
  /** Beside the title. */
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}

export const Panel = ({ id, title, aside, children }: Shell) => (
  <section class="panel" id={id} aria-labelledby={`${id}-title`}>
    <header><h2 id={`${id}-title`}>{title}</h2>{aside}</header>
    {children}
  </section>
)

/** What a resource answered, or a word on why nothing is there. */
export function Shown<T>({ of, none, empty, children }: {
  readonly of: Resource<T>
  /** Whether there is nothing to show. */
  readonly none?: (value: T) => boolean
  readonly empty?: string
  readonly children: (value: T) => ComponentChildren
}) {
  const loaded: Loaded<T> = of.loaded.value
  if (loaded.state === 'loading') return <p class="note loading">Loading …</p>
  if (loaded.state === 'failed') return <Failure message={loaded.message} again={() => void of.load()} />
  return (
    <>
      {loaded.trouble !== null && <Failure message={loaded.trouble} again={() => void of.load()} />}
      {none?.(loaded.value) === true ? <p class="note">{empty}</p> : children(loaded.value)}
    </>
  )
}

export const Failure = ({ message, again }: { readonly message: string; readonly again: () => void }) => (
  <div class="note failure">
    <p><strong>Not loaded:</strong> {harmless(message)}</p>
    <button type="button" class="quiet" onClick={again}>Try again</button>
  </div>
)
