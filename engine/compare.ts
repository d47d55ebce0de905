import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordingFolder } from './answers.ts'
import { registry, type World } from './assemble.ts'
import { CELLS, PASSES, type PassRequest } from './compare-pass.ts'
import { readWindow, windowKey, type CandlesRead } from './compare-window.ts'
import type { Axis, Comparison, PassDetail } from './compare/comparison.ts'
import { cellIdOf, codeHash, passIdOf, recordingHash, setupOf, trialOf } from './compare/content.ts'
import { detailsOf } from './compare/details.ts'
import { disagreementsOf } from './compare/disagreement.ts'
import { judgeWindow, sharpeOf, type Placed } from './compare/honesty.ts'
import { KEPT_FORMAT, type KeptCell } from './compare/kept.ts'
import { Ledger } from './compare/ledger.ts'
import { axesOf, axisOf, choicesOf, shownAxes, type MatrixAxis } from './compare/matrix.ts'
import { nameOf } from './compare/names.ts'
import { acrossOf, curvesOf, pairsOf } from './compare/pairs.ts'
import { playPasses } from './compare-jobs.ts'
import { resolveScenario, type Resolution } from './config/resolve.ts'
import { blameFlags, loadScenario, type LoadedScenario, type Override } from './config/scenario-file.ts'
import type { Settings } from './config/settings.ts'
import { dailyReturns } from './core/metrics.ts'
import { TapedeckError } from './errors.ts'
import { version } from './version.ts'

export interface CompareRequest {
  readonly paths: readonly string[]
  /** Axes from the command line; each replaces the file's of the same key. */
  readonly axes: readonly MatrixAxis[]
  /** Changes of every cell. */
  readonly overrides: readonly Override[]
  readonly settings: Settings
  readonly out: string
  /** Passes at a time. */
  readonly jobs: number
}

export interface CompareProgress {
  /** Cells that are kept from before, of all. */
  readonly onPlanned?: (kept: number, cells: number, passes: number) => void
  readonly onProgress?: (share: number) => void
}

export interface Compared {
  readonly comparison: Comparison
  readonly details: readonly PassDetail[]
}

/** One cell of the matrix before it is played. */
export interface PlannedCell {
  readonly id: string
  readonly trial: string
  readonly pass: string
  readonly resolution: Resolution
  readonly labels: Readonly<Record<string, string>>
  readonly baseline: boolean
  readonly read: CandlesRead
}

/** Everything that a comparison is going to play. */
export interface Plan {
  readonly axes: readonly MatrixAxis[]
  readonly scenarios: readonly string[]
  readonly cells: readonly PlannedCell[]
  readonly windows: readonly CandlesRead[]
}

/** Plans the matrix: resolves every cell and reads every tape. Throws coded errors for whatever a user can have mistaken. */
export async function planComparison(request: CompareRequest, world: World): Promise<Plan> {
  const wanted: { resolution: Resolution; labels: Readonly<Record<string, string>>; baseline: boolean }[] = []
  const axes: MatrixAxis[] = []
  const loadeds = request.paths.map((path) => loadScenario(path, request.overrides))
  const names = loadeds.map(({ input }) => input.name)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined) throw new TapedeckError('TD_USAGE', `two scenarios are called ${twin}; a comparison tells them apart by name, so rename one`)
  for (const [index, loaded] of loadeds.entries()) {
    const own = axesOf(fileAxes(loaded), request.axes)
    for (const axis of own) if (!axes.some(({ key }) => key === axis.key)) axes.push(axis)
    wanted.push(...await resolveChoices(request, request.paths[index], loaded, own, loadeds.length))
  }
  const code = codeHash()
  const reads = new Map<string, CandlesRead>()
  const recordings = new Map<string, string | null>()
  const cells: PlannedCell[] = []
  for (const { resolution, labels, baseline } of wanted) {
    const { scenario, folder } = resolution
    const key = windowKey(resolution)
    const read = reads.get(key) ?? await readWindow(resolution, world)
    reads.set(key, read)
    const tape = pathOf(scenario.ai?.recording ?? null, folder)
    if (tape !== null && !recordings.has(tape)) recordings.set(tape, recordingHash(tape))
    const inputs = { candles: read.window.candles, recording: tape === null ? null : recordings.get(tape)!, code }
    const pass = passIdOf(scenario, inputs)
    const id = cellIdOf(scenario, pass)
    const same = cells.find((one) => one.id === id)
    if (same !== undefined) {
      if (baseline) continue
      throw new TapedeckError('TD_USAGE', `${describe(labels, scenario.name)} and ${describe(same.labels, same.resolution.scenario.name)} are the same cell; leave one of them out`)
    }
    // A strategy that looks at its own position hears other opinions in every cell.
    const alone = resolution.plugins.strategy.usesPortfolio === true
    cells.push({ id, trial: trialOf(scenario, inputs), pass: alone ? id : pass, resolution, labels, baseline, read })
  }
  const windows = [...new Map(cells.map(({ read }) => [read.window.candles, read])).values()]
  return { axes, scenarios: names, cells, windows }
}

const pathOf = (recording: { readonly path: string } | null, folder: string): string | null => (recording === null ? null : recordingFolder(folder, recording.path))

const describe = (labels: Readonly<Record<string, string>>, scenario: string): string =>
  [scenario, ...Object.entries(labels).map(([key, value]) => `${key} ${value}`)].join(' ')

function fileAxes({ input, path }: LoadedScenario): MatrixAxis[] {
  return Object.entries(input.matrix ?? {}).map(([key, value]) => axisOf(key, value, `${path}: matrix.${key}`))
}

async function resolveChoices(
  { overrides, settings }: CompareRequest, path: string, loaded: LoadedScenario, axes: readonly MatrixAxis[], scenarios: number,
): Promise<{ resolution: Resolution; labels: Readonly<Record<string, string>>; baseline: boolean }[]> {
  const blocks = new Map((loaded.input.providers ?? []).filter((one) => typeof one === 'object').map((one) => [one.name, one]))
  // A provider that the file describes keeps its options when it is named alone.
  const known = axes.map((axis) => (axis.key !== 'providers' ? axis : { ...axis, values: axis.values.map((chain) =>
    (chain as readonly unknown[]).map((one) => (typeof one === 'string' ? (blocks.get(one) ?? one) : one))) }))
  const resolve = async (choice: readonly Override[]): Promise<Resolution> => {
    const changes = [...overrides, ...choice, ...(loaded.input.audit === undefined ? [{ path: 'audit', value: 'trades', flag: '--audit' }] : [])]
    try {
      const { input, ...rest } = loadScenario(path, changes)
      const { notify: _notify, shadow: _shadow, matrix: _matrix, ...own } = input
      const resolution = await resolveScenario({ ...rest, input: own }, settings, registry)
      checkRecorded(resolution, path)
      return resolution
    } catch (error) {
      throw blameFlags(error, path, changes)
    }
  }
  const choices = choicesOf(known, scenarios)
  const resolved = []
  for (const { overrides: choice, labels } of choices) resolved.push({ resolution: await resolve(choice), labels, baseline: false })
  if (resolved.every(({ resolution: { scenario } }) => scenario.ai === undefined) || resolved.some(({ resolution: { scenario } }) => scenario.ai === undefined)) return resolved
  // AI is to be measured against the strategy's own rules, asked for or not.
  const [first] = known.filter(({ key }) => key === 'providers')
  const rest = choices.filter(({ labels }) => first === undefined || labels['providers'] === choices[0].labels['providers'])
  for (const { overrides: choice, labels } of rest) {
    const rules = { path: 'providers', value: ['technical'], flag: '--providers' }
    resolved.push({ resolution: await resolve([...choice.filter(({ path: at }) => at !== 'providers'), rules]), labels: { ...labels, providers: 'technical' }, baseline: true })
  }
  return resolved
}

/** Asking would make cells differ by when they were asked, and cost money without a word. */
function checkRecorded({ scenario: { ai, providers } }: Resolution, path: string): void {
  if (ai === undefined || (ai.recording !== null && ai.recording.mode === 'replay')) return
  const names = providers.slice(0, -1).map(({ name }) => name).join(', ')
  throw new TapedeckError('TD_RECORDING_MISSING', `${path}: ${names} would have to be asked; a comparison plays recorded answers only: `
    + 'make the recording with tapedeck record, and write recording: { path: DIR } with mode replay into the scenario')
}

/** Plays what is not kept from before, enters the trials and says what may be believed. An interrupted comparison keeps its finished cells and rejects. */
export async function compare(request: CompareRequest, world: World, progress: CompareProgress = {}): Promise<Compared> {
  const plan = await planComparison(request, world)
  const kept = new Map<string, KeptCell>()
  for (const { id, pass } of plan.cells) {
    const one = readKept(request.out, id, pass)
    if (one !== null) kept.set(id, one)
  }
  const passes = passesOf(plan, request.out, kept)
  progress.onPlanned?.(kept.size, plan.cells.length, passes.length)
  const ledger = new Ledger(request.out)
  await playPasses(passes, world, { jobs: request.jobs, ...progress, onKept: (cells) => { for (const cell of cells) kept.set(cell.id, cell) } })
    .finally(() => { enterTrials(ledger, plan, kept) })
  return conclude(plan, kept, ledger, request.out)
}

/** In the order of the plan, whoever was ready first. */
function enterTrials(ledger: Ledger, { cells }: Plan, kept: ReadonlyMap<string, KeptCell>): void {
  ledger.enter(cells.filter(({ id, baseline }) => !baseline && kept.has(id)).map(({ id, trial, read }) => ({
    candles: read.window.candles, trial, sharpe: sharpeOf(dailyReturns(kept.get(id)!.dailyEquity))?.sharpe ?? null,
  })))
}

function readKept(out: string, id: string, pass: string): KeptCell | null {
  const path = join(out, CELLS, id, 'cell.json')
  if (!existsSync(path) || !existsSync(join(out, PASSES, pass, 'opinions.jsonl'))) return null
  try {
    const cell = JSON.parse(readFileSync(path, 'utf8')) as KeptCell
    return cell.format === KEPT_FORMAT && cell.id === id ? cell : null
  } catch {
    // Damaged: it is made anew.
    return null
  }
}

function passesOf({ cells }: Plan, out: string, kept: ReadonlyMap<string, KeptCell>): PassRequest[] {
  const groups = new Map<string, PlannedCell[]>()
  for (const cell of cells) if (!kept.has(cell.id)) groups.set(cell.pass, [...(groups.get(cell.pass) ?? []), cell])
  return [...groups].map(([id, group]) => {
    const [{ resolution: { scenario, folder }, read }] = group
    return { id, scenario, folder, candles: read.window.candles, out, cells: group.map((one) => ({ id: one.id, policy: one.resolution.scenario.policy, labels: one.labels })) }
  })
}

const providerOf = ({ ai, providers }: Resolution['scenario']): string => (ai === undefined ? 'technical' : providers.slice(0, -1).map(({ name }) => name).join(' → '))

/** Rules that stand beside AI make who is asked something that varies, asked for or not. */
function withProviders(axes: readonly Axis[], cells: readonly PlannedCell[]): readonly Axis[] {
  if (!cells.some(({ baseline }) => baseline)) return axes
  const own = axes.find(({ key }) => key === 'providers')
  const values = [...new Set([...(own?.values ?? cells.map(({ resolution: { scenario } }) => providerOf(scenario))), 'technical'])]
  return own === undefined ? [{ key: 'providers', values }, ...axes] : axes.map((axis) => (axis === own ? { ...axis, values } : axis))
}

function conclude(plan: Plan, kept: ReadonlyMap<string, KeptCell>, ledger: Ledger, out: string): Compared {
  const several = plan.scenarios.length > 1
  const rulesBeside = plan.cells.some(({ baseline }) => baseline)
  const shown = withProviders(shownAxes(plan.axes, several ? plan.scenarios : []), plan.cells)
  const varying = shown.filter(({ values }) => values.length > 1).map(({ key }) => key)
  const placed = plan.cells.map(({ id, trial, resolution: { scenario }, labels, baseline }): Placed => {
    const provider = providerOf(scenario)
    const full = { ...(several && { scenario: scenario.name }), ...(rulesBeside && { providers: provider }), ...labels }
    return {
      kept: { ...kept.get(id)!, labels: full }, name: nameOf(full, varying, several ? scenario.name : null), labels: full,
      scenario: scenario.name, provider, setup: setupOf(scenario), baseline, trial, folder: scenario.audit === 'off' ? null : `../${CELLS}/${id}`,
    }
  })
  const judged = plan.windows.map(({ window }) =>
    judgeWindow(window, placed.filter(({ kept: { candles } }) => candles === window.candles), ledger.on(window.candles)))
  const cells = judged.flatMap((one) => one.cells)
  const hash = createHash('sha256').update(JSON.stringify([shown, cells.map(({ id, name }) => [id, name])])).digest('hex').slice(0, 12)
  const name = plan.scenarios.join('-').slice(0, 80)
  const unanswered = cells.filter(({ answered }) => answered !== null && answered < 1).length
  const comparison: Comparison = {
    format: 1, id: `compare-${name}-${hash}`, name, tapedeck: version(), axes: shown, cells,
    windows: judged.map((one) => one.window), pairs: judged.flatMap((one) => pairsOf(one.window, one.cells)), curves: curvesOf(cells, kept),
    disagreements: disagreementsOf(plan, out), across: several ? acrossOf(cells) : [],
    assumptions: [
      'Every cell holds its own answers only: what a provider left unanswered is HOLD, never another\'s answer.',
      'A refused entry is valued as a bet of its own, from the open that would have filled it, with the cell\'s exits and costs; those that the tape\'s end leaves open are not known.',
      'Intervals are of 95 %, from a stationary bootstrap of days; below 60 days or 30 trades there is none.',
      ...(plan.cells.some(({ resolution: { scenario } }) => scenario.policy.calibrate !== undefined)
        ? ['Where confidence is recalibrated, calibration and coverage show it as it was said; regret takes exits by it as it was said.'] : []),
      ...new Set(plan.windows.flatMap(({ notes }) => notes)),
      ...(plan.cells.some(({ resolution: { scenario } }) => ((scenario.broker.options as { fillTimeframe?: string | null }).fillTimeframe ?? null) !== null)
        ? ['Cells fill on finer candles; what refusals would have earned, labels and random entries are judged on decision candles.'] : []),
    ],
    warnings: [...new Set(plan.windows.flatMap(({ warnings }) => warnings)), ...(unanswered === 0 ? [] : [`${unanswered} cells hold decisions that their provider did not answer`])],
    interrupted: false,
  }
  return { comparison, details: detailsOf(plan, kept) }
}
