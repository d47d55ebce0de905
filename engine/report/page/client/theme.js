/** The page's own colours, as the style sheet resolves them now: light, dark or on paper. */
export function colours() {
  const style = getComputedStyle(document.documentElement)
  const of = (name) => style.getPropertyValue(`--${name}`).trim()
  return {
    ink: of('ink'), soft: of('soft'), line: of('line'), card: of('card'), accent: of('accent'), up: of('up'),
    down: of('down'), warn: of('warn'),
  }
}

/** Calls `apply` with the colours now and whenever they change. */
export function withTheme(apply) {
  const update = () => apply(colours())
  for (const query of ['(prefers-color-scheme: dark)', 'print']) matchMedia(query).addEventListener('change', update)
  update()
}

/** `2021-03-04 12:00` in UTC. */
export const isoMinute = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')

/** Options that both charts share. Wheel zoom stays off until a chart is clicked, so that the page can be scrolled. */
export const chartOptions = {
  autoSize: true,
  // The footer names the library and links to its makers, as its licence asks.
  layout: { attributionLogo: false, fontSize: 12, background: { color: 'transparent' } },
  // A fixed locale and UTC: the same file reads the same everywhere.
  localization: { locale: 'en-GB', timeFormatter: isoMinute },
  rightPriceScale: { entireTextOnly: true },
  crosshair: { mode: 0 },
  timeScale: { timeVisible: true, minBarSpacing: 0.01, rightOffset: 0, fixLeftEdge: true, fixRightEdge: true },
  handleScroll: { mouseWheel: false, vertTouchDrag: false },
  handleScale: { mouseWheel: false },
}

/** The colours of a chart's frame. */
export const chartTheme = (colour) => ({
  layout: { textColor: colour.soft, panes: { separatorColor: colour.line, separatorHoverColor: colour.line } },
  grid: { vertLines: { color: colour.line }, horzLines: { color: colour.line } },
  rightPriceScale: { borderColor: colour.line },
  timeScale: { borderColor: colour.line },
  crosshair: {
    vertLine: { color: colour.soft, labelBackgroundColor: colour.accent },
    horzLine: { color: colour.soft, labelBackgroundColor: colour.accent },
  },
})

/** `1,234.50` with a real minus sign. */
export const number = (value, digits) => {
  const [whole, decimals] = Math.abs(value).toFixed(digits).split('.')
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (decimals ? `.${decimals}` : '')
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text
}

export const change = (percent) => `${percent > 0 ? '▲ +' : percent < 0 ? '▼ ' : ''}${number(percent, 2)}\u00A0%`
