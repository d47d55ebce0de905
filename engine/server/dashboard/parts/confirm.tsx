import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { messageOf } from '../data/api.ts'
import { harmless } from '../data/text.ts'
import { Dialog } from './dialog.tsx'

export interface Question {
  readonly title: string
  /** What will happen, one sentence an entry. */
  readonly says: readonly string[]
  /** The button that does it. */
  readonly does: string
  /** Asked a second time before it is done; null = once is enough. */
  readonly really: string | null
  /** Returns what came of it, or null where the page shows that anyway. */
  readonly act: () => Promise<string | null>
}

/** Asks, acts, and stays open with what came of it where that needs to be read. */
export function Confirm({ question, close }: { readonly question: Question; readonly close: () => void }) {
  const { title, says, does, really, act } = question
  const [step, setStep] = useState<'ask' | 'really' | 'busy' | 'done'>('ask')
  const [result, setResult] = useState<{ readonly text: string; readonly failed: boolean } | null>(null)
  const safe = useRef<HTMLButtonElement>(null)
  // The button that does nothing has the focus at every step: Enter, pressed once too often, is harmless.
  useLayoutEffect(() => safe.current?.focus(), [step])

  const run = async (): Promise<void> => {
    setStep('busy')
    try {
      const text = await act()
      if (text === null) return close()
      setResult({ text, failed: false })
    } catch (error) {
      setResult({ text: messageOf(error), failed: true })
    }
    setStep('done')
  }
  const next = (): void => {
    if (step === 'ask' && really !== null) setStep('really')
    else void run()
  }

  return (
    <Dialog title={title} role="alertdialog" close={close}>
      {step === 'done' ? <Result {...result!} /> : step === 'really' ? <p class="loud">{really}</p>
        : <ul class="says">{says.map((text) => <li key={text}>{text}</li>)}</ul>}
      <p class="sr" role="status">{step === 'busy' ? 'Working' : step === 'really' ? 'Step 2 of 2' : ''}</p>
      <footer>
        <button type="button" ref={safe} onClick={close}>{step === 'done' ? 'Close' : 'Cancel'}</button>
        {step !== 'done' && <button type="button" class="danger" disabled={step === 'busy'} onClick={next}>
          {step === 'busy' ? 'Working …' : step === 'ask' && really !== null ? 'Continue' : does}
        </button>}
      </footer>
    </Dialog>
  )
}

const Result = ({ text, failed }: { readonly text: string; readonly failed: boolean }): ComponentChildren =>
  <p role="alert" class={failed ? 'failure' : ''}>{failed && <strong>Failed: </strong>}{harmless(text)}</p>
