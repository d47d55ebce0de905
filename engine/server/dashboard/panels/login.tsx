import { useState } from 'preact/hooks'
import { ApiError, messageOf, post } from '../data/api.ts'
import type { Desk } from '../data/desk.ts'
import { harmless } from '../data/text.ts'

/** Asks for the server's token, which is exchanged for a cookie and kept nowhere. */
export function Login({ desk }: { readonly desk: Desk }) {
  const [token, setToken] = useState('')
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const enter = async (): Promise<void> => {
    setBusy(true)
    try {
      await post('/api/login', { token })
      desk.follower.again()
    } catch (error) {
      setTrouble(error instanceof ApiError && error.status === 401 ? 'This is not the token of this server.' : messageOf(error))
      setBusy(false)
    }
  }
  return (
    <main class="login">
      <form onSubmit={(event) => { event.preventDefault(); void enter() }}>
        <h1>Tapedeck</h1>
        <p class="soft">This server asks for its token: the API_TOKEN it was started with.</p>
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="current-password" required value={token} autofocus
          aria-invalid={trouble !== null} aria-describedby="token-trouble" onInput={({ currentTarget }) => setToken(currentTarget.value)} />
        <p id="token-trouble" role="alert" class="bad">{trouble === null ? '' : harmless(trouble)}</p>
        <button type="submit" class="primary" disabled={busy}>{busy ? 'Looking …' : 'Log in'}</button>
      </form>
    </main>
  )
}
