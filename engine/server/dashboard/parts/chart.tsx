import { useEffect, useRef } from 'preact/hooks'
import { isDark } from '../data/theme.ts'

interface Drawn<T> {
  show(data: T): void
  paint(): void
  remove(): void
}

/** A drawing with its words: `says` is what the drawing shows, for whoever does not see it. */
export function Chart<T>({ make, data, says, tall = false }: {
  readonly make: (box: HTMLElement) => Drawn<T>
  readonly data: T
  readonly says: string
  readonly tall?: boolean
}) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<Drawn<T> | null>(null)
  const dark = isDark()
  useEffect(() => {
    const chart = drawn.current = make(box.current!)
    return () => { chart.remove(); drawn.current = null }
  }, [make])
  useEffect(() => drawn.current?.show(data), [data])
  useEffect(() => drawn.current?.paint(), [dark])
  return <>
    <div ref={box} class={tall ? 'chart tall' : 'chart'} role="img" aria-label={says} />
    <p class="small soft">{says}</p>
  </>
}
