import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'tapedeck-theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(system.matches)
system.addEventListener('change', ({ matches }) => { systemDark.value = matches })

function remembered(): Theme {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'light' || kept === 'dark' ? kept : 'system'
  } catch {
    return 'system'
  }
}

/** What a person chose; the system's own choice until then. */
export const theme = signal<Theme>(remembered())
export const isDark = (): boolean => theme.value === 'dark' || theme.value === 'system' && systemDark.value

export function choose(next: Theme): void {
  theme.value = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // Where the browser keeps nothing, the choice lasts as long as the page.
  }
}

effect(() => { document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light' })

/** The style sheet's colour of this name, as it is now. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
