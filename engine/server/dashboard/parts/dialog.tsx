import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A modal dialog: the browser keeps the focus inside, closes it with Escape and gives the focus back. */
export function Dialog({ title, wide = false, role, close, children }: {
  readonly title: string
  readonly wide?: boolean
  readonly role?: 'dialog' | 'alertdialog'
  readonly close: () => void
  readonly children: ComponentChildren
}) {
  const box = useRef<HTMLDialogElement>(null)
  // Before the next key is pressed: it belongs to the dialog.
  useLayoutEffect(() => {
    const opener = document.activeElement
    box.current?.showModal()
    return () => { if (opener instanceof HTMLElement && opener.isConnected) opener.focus() }
  }, [])
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} role={role ?? 'dialog'} aria-labelledby="dialog-title" onClose={close}
      onClick={({ target }) => { if (target === box.current) close() }}>
      <div class="frame">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="quiet" aria-label="Close this dialog" onClick={close}>✕</button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
