/** Exit reasons in the order in which the data numbers them: shape, filled or outlined, colour, word. */
export const REASONS = [
  { shape: 'circle', filled: true, colour: 'ink', word: 'signal' },
  { shape: 'down', filled: true, colour: 'down', word: 'stop' },
  { shape: 'down', filled: false, colour: 'down', word: 'stop gap' },
  { shape: 'diamond', filled: true, colour: 'up', word: 'target' },
  { shape: 'diamond', filled: false, colour: 'up', word: 'target gap' },
  { shape: 'square', filled: true, colour: 'ink', word: 'time' },
  { shape: 'down', filled: true, colour: 'warn', word: 'trailing' },
  { shape: 'cross', filled: false, colour: 'ink', word: 'end' },
  { shape: 'square', filled: false, colour: 'ink', word: 'operator' },
  { shape: 'square', filled: true, colour: 'warn', word: 'unprotected' },
]

const TRACES = {
  up: (path, x, y, r) => polygon(path, [[x - r, y + r * 0.8], [x + r, y + r * 0.8], [x, y - r]]),
  down: (path, x, y, r) => polygon(path, [[x - r, y - r * 0.8], [x + r, y - r * 0.8], [x, y + r]]),
  diamond: (path, x, y, r) => polygon(path, [[x, y - r * 1.2], [x + r * 1.2, y], [x, y + r * 1.2], [x - r * 1.2, y]]),
  square: (path, x, y, r) => path.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7),
  circle: (path, x, y, r) => path.arc(x, y, r * 0.95, 0, Math.PI * 2),
  cross: (path, x, y, r) => {
    for (const way of [1, -1]) {
      path.moveTo(x - r, y - r * way)
      path.lineTo(x + r, y + r * way)
    }
  },
}

function polygon(path, corners) {
  for (const [x, y] of corners) path.lineTo(x, y)
  path.closePath()
}

/**
 * Draws trades over the candles: stop and target while the trade was open, the way from entry to exit, and a sign at
 * each end. One drawing for all trades, because a line series for each would be thousands of series.
 */
export class TradeMarks {
  #limit
  #onCount
  #colour
  #trades = []
  #chosen = -1
  #host = null

  /** @param onCount called with the number of trades in view and the number that were marked. */
  constructor(limit, onCount) {
    this.#limit = limit
    this.#onCount = onCount
  }

  attached(host) { this.#host = host }
  detached() { this.#host = null }
  paneViews() {
    return [{ zOrder: () => 'top', renderer: () => ({ draw: (target) => this.#draw(target) }) }]
  }

  setTrades(trades) { this.#trades = trades; this.#host?.requestUpdate() }
  setColours(colour) { this.#colour = colour; this.#host?.requestUpdate() }
  choose(number) { this.#chosen = number; this.#host?.requestUpdate() }

  /** Makes room for the levels of the trades in view, as long as they are few enough to be told apart. */
  autoscaleInfo(from, to) {
    const seen = this.#trades.filter((trade) => trade.exit >= from && trade.entry <= to)
    if (seen.length === 0 || seen.length > 60) return null
    const levels = seen.flatMap(({ stop, target, exitPrice }) => [stop ?? exitPrice, target ?? exitPrice, exitPrice])
    return { priceRange: { minValue: Math.min(...levels), maxValue: Math.max(...levels) } }
  }

  #draw(target) {
    const scale = this.#host.chart.timeScale()
    const range = scale.getVisibleLogicalRange()
    if (!range || !this.#colour) return
    const seen = this.#trades.filter((trade) => trade.exit >= range.from && trade.entry <= range.to)
    const drawn = seen.slice(0, this.#limit)
    this.#onCount(seen.length, drawn.length)
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const room = mediaSize.width / Math.max(1, seen.length)
      const bar = scale.logicalToCoordinate(1) - scale.logicalToCoordinate(0)
      const y = (price) => (price === null ? null : this.#host.series.priceToCoordinate(price))
      // Labels come last, over the signs of all trades, or a neighbour's sign would cross them out.
      const labels = []
      for (const trade of drawn) {
        const half = trade.entry === trade.exit ? Math.max(2, bar / 2) : 0
        const [left, right] = [scale.logicalToCoordinate(trade.entry), scale.logicalToCoordinate(trade.exit)]
        this.#drawTrade(context, trade, {
          room, left, right, from: left - half, to: right + half, entry: y(trade.entryPrice), exit: y(trade.exitPrice),
          stop: y(trade.stop), target: y(trade.target), chosen: trade.number === this.#chosen,
        }, labels)
      }
      for (const label of labels) this.#label(context, ...label)
    })
  }

  #drawTrade(context, trade, at, labels) {
    const colour = this.#colour
    const outcome = trade.percent >= 0 ? colour.up : colour.down
    if (at.room > 12 || at.chosen) {
      this.#zone(context, at, at.stop, colour.down)
      this.#zone(context, at, at.target, colour.up)
    }
    line(context, [[at.left, at.entry], [at.right, at.exit]], outcome, at.chosen ? 2.5 : 1.25)
    const radius = at.chosen ? 7 : Math.min(6, Math.max(2.2, at.room / 5))
    const reason = REASONS[trade.reason]
    if (at.room > 4 || at.chosen) this.#sign(context, 'up', true, colour.accent, at.left, at.entry + radius, radius)
    this.#sign(context, reason.shape, reason.filled, colour[reason.colour], at.right, at.exit, radius)
    if (at.room > 90 || at.chosen) {
      labels.push([`#${trade.number + 1}`, at.left, at.entry + radius * 2 + 12])
      const sign = trade.percent > 0 ? '+' : trade.percent < 0 ? '−' : ''
      labels.push([`${reason.word} ${sign}${Math.abs(trade.percent).toFixed(2)} %`, at.right, at.exit - radius - 6])
    }
  }

  #zone(context, at, level, colour) {
    if (level === null) return
    context.globalAlpha = at.chosen ? 0.16 : 0.07
    context.fillStyle = colour
    context.fillRect(at.from, Math.min(level, at.entry), Math.max(1, at.to - at.from), Math.abs(level - at.entry))
    context.globalAlpha = 1
    line(context, [[at.from, level], [at.to, level]], colour, at.chosen ? 1.5 : 1, [4, 3])
  }

  #sign(context, shape, filled, colour, x, y, radius) {
    context.beginPath()
    TRACES[shape](context, x, y, radius)
    context.lineWidth = filled ? 1.5 : 2
    context.fillStyle = filled ? colour : this.#colour.card
    context.strokeStyle = filled ? this.#colour.card : colour
    if (shape !== 'cross') context.fill()
    if (radius > 3 || !filled) context.stroke()
  }

  #label(context, text, x, y) {
    context.font = '600 11px system-ui, sans-serif'
    context.textAlign = 'center'
    context.lineWidth = 3
    context.lineJoin = 'round'
    context.strokeStyle = this.#colour.card
    context.fillStyle = this.#colour.ink
    context.strokeText(text, x, y)
    context.fillText(text, x, y)
  }
}

function line(context, points, colour, width, dash = []) {
  context.beginPath()
  for (const [x, y] of points) context.lineTo(x, y)
  context.setLineDash(dash)
  context.strokeStyle = colour
  context.lineWidth = width
  context.stroke()
  context.setLineDash([])
}
