import { isoMinute, number } from '../theme.js'
import { candlesAround } from './candles.js'
import { tag } from './svg.js'

const PAGE = 100

const gained = (value) => (value === null ? '–' : `${value > 0 ? '▲ +' : value < 0 ? '▼ ' : ''}${number(value * 100, 2)}\u00A0%`)
const sure = (confidence) => `${number(confidence * 100, 0)}\u00A0%`

/** The decisions of one cell: a list, and what was said and what the candles looked like at the one that is chosen. */
export function decisionReader({ cells, passes, words }) {
  const choice = document.getElementById('cell-choice')
  const status = document.getElementById('status-choice')
  const title = document.getElementById('cell-name')
  const note = document.getElementById('decisions-note')
  const body = document.getElementById('decisions-table').tBodies[0]
  const more = document.getElementById('more')
  const panel = document.getElementById('decision')
  let list = []
  let shown = 0

  const passOf = (cell) => (cells[cell].pass === null ? null : passes[cells[cell].pass])

  function conversation(opinion) {
    const turns = opinion[7].map(([action, confidence, reasoning], index) => tag('li', {},
      tag('h5', {}, `Turn ${index + 1}: ${words[action]}, ${sure(confidence)} sure`), tag('p', {}, reasoning === '' ? 'No reason was given.' : reasoning)))
    return tag('ol', { class: 'turns' }, ...turns)
  }

  function open(decision, button) {
    const pass = passOf(Number(choice.value))
    const [index, state, reason, earned] = decision
    const [time, symbol, provider, action, confidence, latency, cost] = pass.opinions[index]
    const chart = pass.charts.find((one) => one.symbol === pass.symbols[symbol])
    for (const row of body.querySelectorAll('[aria-current]')) row.removeAttribute('aria-current')
    button?.closest('tr').setAttribute('aria-current', 'true')
    const facts = [
      `${words[provider]}: ${words[action]}, ${sure(confidence)} sure`, `${words[state]}${reason < 0 ? '' : ` (${words[reason]})`}`,
      earned === null ? 'outcome unknown' : `outcome ${gained(earned)}`, `answered in ${number(latency / 1000, 2)} s`, cost === 0 ? 'without cost' : `for ${number(cost, 4)} USD`,
    ]
    panel.replaceChildren(
      tag('h4', {}, `${isoMinute(time / 1000)} UTC · ${pass.symbols[symbol]}`), tag('p', { class: 'note' }, facts.join(' · ')),
      chart ? candlesAround(chart, time) : tag('p', { class: 'note' }, 'No candles of this symbol are in the page.'), conversation(pass.opinions[index]),
    )
    if (button) {
      panel.focus({ preventScroll: true })
      panel.scrollIntoView({ block: 'nearest' })
    }
  }

  function rowOf(decision) {
    const [index, state, reason, earned] = decision
    const pass = passOf(Number(choice.value))
    const [time, symbol, , action, confidence] = pass.opinions[index]
    const button = tag('button', { type: 'button', class: 'link', 'aria-label': `Decision of ${isoMinute(time / 1000)} UTC, show what was said` }, isoMinute(time / 1000))
    button.addEventListener('click', () => open(decision, button))
    return tag('tr', {}, tag('th', { scope: 'row' }, button), ...(pass.symbols.length > 1 ? [tag('td', {}, pass.symbols[symbol] ?? '')] : []), tag('td', {}, words[action]), tag('td', { class: 'num' }, sure(confidence)),
      tag('td', {}, words[state]), tag('td', {}, reason < 0 ? '' : words[reason]), tag('td', { class: `num ${earned > 0 ? 'up' : earned < 0 ? 'down' : ''}` }, gained(earned)))
  }

  function page() {
    body.append(...list.slice(shown, shown + PAGE).map(rowOf))
    shown = Math.min(list.length, shown + PAGE)
    more.hidden = shown === list.length
    const pass = passOf(Number(choice.value))
    const left = pass && pass.omitted > 0 ? ` ${number(pass.omitted, 0)} opinions of this pass are left out of the page to keep it small.` : ''
    note.textContent = pass === null || pass.decisions[choice.value] === undefined
      ? 'The page holds no decisions of this cell.' : `${number(shown, 0)} of ${number(list.length, 0)} decisions.${left}`
  }

  function fill() {
    const own = passOf(Number(choice.value))?.decisions[choice.value] ?? []
    list = status.value === '' ? own : own.filter(([, state]) => words[state] === status.value)
    shown = 0
    // One symbol is said above the candles; a column of it would only take room.
    document.getElementById('symbol-heading').hidden = (passOf(Number(choice.value))?.symbols.length ?? 0) < 2
    body.replaceChildren()
    page()
    panel.replaceChildren()
    if (list.length > 0) open(list[0], null)
    body.querySelector('tr')?.setAttribute('aria-current', 'true')
  }

  /** Shows a cell's decisions; `move`: somebody asked for it, so the reader is taken there. */
  function show(cell, move) {
    choice.value = String(cell)
    title.textContent = cells[cell].name
    const states = [...new Set((passOf(cell)?.decisions[cell] ?? []).map(([, state]) => words[state]))].sort()
    const before = status.value
    status.replaceChildren(new Option('all', ''), ...states.map((state) => new Option(state, state)))
    status.value = states.includes(before) ? before : ''
    fill()
    if (!move) return
    document.getElementById('cell').scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth', block: 'start' })
    title.focus({ preventScroll: true })
  }

  choice.addEventListener('change', () => show(Number(choice.value), false))
  status.addEventListener('change', fill)
  more.addEventListener('click', page)
  return show
}
