/** Moves and zooms a chart's time scale by keyboard, and lets the wheel zoom while the chart has the focus. */
export function withKeys(element, chart) {
  const scale = chart.timeScale()
  const view = (change) => {
    const range = scale.getVisibleLogicalRange()
    if (range) scale.setVisibleLogicalRange(change(range, range.to - range.from))
  }
  const move = (share) => view(({ from, to }, width) => ({ from: from + width * share, to: to + width * share }))
  const zoom = (share) => view(({ from, to }, width) => ({ from: from + width * share, to: to - width * share }))
  const all = () => scale.fitContent()
  const actions = {
    ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15), '+': () => zoom(0.2), '=': () => zoom(0.2),
    '-': () => zoom(-0.3), Home: all,
  }
  element.addEventListener('keydown', (event) => {
    const act = actions[event.key]
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    act()
  })
  const wheel = (on) => chart.applyOptions({ handleScale: { mouseWheel: on } })
  // The library's elements take no focus, so a click on them has to give it to the box around them.
  element.addEventListener('pointerdown', () => element.focus({ preventScroll: true }))
  element.addEventListener('focus', () => wheel(true))
  element.addEventListener('blur', () => wheel(false))
  return { in: () => zoom(0.2), out: () => zoom(-0.3), all }
}
