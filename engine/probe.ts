import { registry, type World } from './assemble.ts'
import { playVariants } from './compare-pass.ts'
import { recordingHash } from './compare/content.ts'
import { Evaluation } from './compare/evaluate.ts'
import { eventsIn } from './compare/outcomes.ts'
import { answeredBy, targetFirst } from './compare/opinion-log.ts'
import type { CalibrationSummary, Interval } from './compare/comparison.ts'
import { recordingFolder } from './answers.ts'
import { resolveScenario, type Resolution } from './config/resolve.ts'
import { blameFlags, loadScenario, type Override } from './config/scenario-file.ts'
import type { Settings } from './config/settings.ts'
import { mean } from './core/metrics.ts'
import { factsOf } from './core/models.ts'
import { blockLength, meanInterval } from './core/statistics/bootstrap.ts'
import { TapedeckError } from './errors.ts'

export interface ProbeRequest {
  readonly path: string
  readonly overrides: readonly Override[]
  readonly settings: Settings
  /** Folder of the blind answers, as the scenario would write it; null = the named ones' with `-blind` behind it. */
  readonly blindRecording: string | null
}

/** One side of the training cut-off, or all of the tape where none is published. */
export interface ProbePart {
  readonly name: 'before the cut-off' | 'after the cut-off' | 'all'
  /** Decisions that both answered, and how many of them with the same action. */
  readonly pairs: number
  readonly agreement: number | null
  /** Pairs that both scored and whose event is known. */
  readonly compared: number
  readonly brierNamed: number | null
  readonly brierBlind: number | null
  /** Blind − named: above 0, knowing symbol and date helped. */
  readonly difference: number | null
  readonly interval: Interval | null
  readonly verdict: 'named is better' | 'blind is better' | 'no significant difference' | 'too short'
}

export interface Probe {
  readonly format: 1
  readonly scenario: string
  readonly provider: string
  readonly model: string | null
  readonly cutoff: { readonly date: string; readonly source: string } | null
  readonly parts: readonly ProbePart[]
  readonly named: CalibrationSummary
  readonly blind: CalibrationSummary
  readonly verdict: string
}

const FEWEST = 30

/**
 * Lays the answers to named questions beside those to blind ones (no symbol, no dates, prices rebased) about the same candles. A
 * model that is better when it knows where it is may remember what came. Throws TD_RECORDING_MISS where one of the two was not recorded.
 */
export async function probe(request: ProbeRequest, world: World): Promise<Probe> {
  const named = await resolve(request, [])
  const { scenario, folder } = named
  const { stopLoss, takeProfit } = scenario.policy
  if (scenario.ai === undefined) throw new TapedeckError('TD_USAGE', `${request.path}: only rules are asked, and those remember nothing; name providers`)
  const { recording } = scenario.ai
  if (scenario.ai.blind) throw new TapedeckError('TD_USAGE', `${request.path}: it is blind already; leave blind out, so that named answers can be laid beside blind ones`)
  const blindPath = request.blindRecording ?? `${recording?.path ?? ''}-blind`
  for (const [path, flags] of [[recording?.path ?? null, ''], [blindPath, ` --set blind=true --set recording.path=${blindPath}`]] as const) {
    if (recording !== null && path !== null && recordingHash(recordingFolder(folder, path)) !== null) continue
    throw new TapedeckError('TD_RECORDING_MISSING', `${request.path}: a probe plays recorded answers, and there are none${path === null ? '' : ` in ${path}`}; make them with tapedeck record ${request.path}${flags}`)
  }
  const blind = await resolve(request, [{ path: 'blind', value: true, flag: 'probe' }, { path: 'recording.path', value: blindPath, flag: '--blind' }])
  if (stopLoss === null || takeProfit === null) throw new TapedeckError('TD_USAGE', `${request.path}: without a stop and a target there is no event to be right about; set policy.stopLoss and policy.takeProfit`)
  const sides = [await play(named, world), await play(blind, world)] as const
  const facts = factsOf(sides[0].model ?? undefined)
  const cutoff = facts === null || facts.cutoff === null ? null : { date: facts.cutoff, source: facts.source }
  const pairs = pair(sides[0].answers, sides[1].answers)
  const cut = cutoff === null ? null : Date.parse(cutoff.date)
  const parts = cut === null ? [partOf('all', pairs, scenario.seed)] : [
    partOf('before the cut-off', pairs.filter(({ time }) => time <= cut), scenario.seed),
    partOf('after the cut-off', pairs.filter(({ time }) => time > cut), scenario.seed),
  ]
  return {
    format: 1, scenario: scenario.name, provider: scenario.providers.slice(0, -1).map(({ name }) => name).join(' → '), model: sides[0].model, cutoff, parts,
    named: sides[0].calibration, blind: sides[1].calibration, verdict: verdictOf(parts),
  }
}

async function resolve({ path, overrides, settings }: ProbeRequest, more: readonly Override[]): Promise<Resolution> {
  const changes = [...overrides, ...more, { path: 'audit', value: 'off', flag: '--audit' }]
  try {
    const { input, ...rest } = loadScenario(path, changes)
    const { notify: _notify, shadow: _shadow, matrix: _matrix, ...own } = input
    return await resolveScenario({ ...rest, input: own }, settings, registry)
  } catch (error) {
    throw blameFlags(error, path, changes)
  }
}

interface AnswerAt {
  readonly time: number
  readonly action: string
  /** Probability that the target comes first; null for HOLD. */
  readonly p: number | null
  /** Whether it did; null where it is not known. */
  readonly came: boolean | null
}

interface Side {
  readonly answers: ReadonlyMap<string, AnswerAt>
  readonly calibration: CalibrationSummary
  readonly model: string | null
}

async function play({ scenario, folder }: Resolution, world: World): Promise<Side> {
  const { pass, plan } = await playVariants({ scenario, folder }, world, [{}])
  const evaluation = new Evaluation(pass)
  const events = eventsIn(evaluation.labels(scenario.policy))
  const answers = new Map<string, AnswerAt>()
  for (const [symbol, { rows, times, said }] of pass.log.symbols.entries()) {
    for (const [at, one] of said.entries()) {
      if (answeredBy(one) !== true) continue
      const { action, confidence } = one.opinion
      answers.set(`${symbol} ${times[at]}`, { time: times[at], action, p: action === 'HOLD' ? null : targetFirst(action, confidence), came: events(symbol, rows[at]) })
    }
  }
  return { answers, calibration: evaluation.calibration(scenario.policy), model: plan.chain.links[0].provider.model ?? null }
}

interface Pair {
  readonly time: number
  readonly named: AnswerAt
  readonly blind: AnswerAt
}

const pair = (named: Side['answers'], blind: Side['answers']): Pair[] =>
  [...named].flatMap(([key, one]) => {
    const other = blind.get(key)
    return other === undefined ? [] : [{ time: one.time, named: one, blind: other }]
  }).sort((a, b) => a.time - b.time)

function partOf(name: ProbePart['name'], pairs: readonly Pair[], seed: number): ProbePart {
  const same = pairs.filter(({ named, blind }) => named.action === blind.action).length
  const scored = pairs.flatMap(({ named, blind }) =>
    (named.p === null || blind.p === null || named.came === null ? [] : [{ named: (named.p - Number(named.came)) ** 2, blind: (blind.p - Number(named.came)) ** 2 }]))
  const differences = scored.map(({ named, blind }) => blind - named)
  const compared = scored.length
  const known = compared > 0
  const interval = compared < FEWEST ? null : meanInterval(differences, { seed, meanBlock: blockLength(differences) })
  return {
    name, pairs: pairs.length, agreement: pairs.length === 0 ? null : same / pairs.length, compared,
    brierNamed: known ? mean(scored.map(({ named }) => named)) : null, brierBlind: known ? mean(scored.map(({ blind }) => blind)) : null,
    difference: known ? mean(differences) : null, interval,
    verdict: interval === null ? 'too short' : interval.low > 0 ? 'named is better' : interval.high < 0 ? 'blind is better' : 'no significant difference',
  }
}

function verdictOf(parts: readonly ProbePart[]): string {
  const better = parts.filter(({ verdict }) => verdict === 'named is better')
  if (better.length > 0) return `Knowing symbol and dates made the answers better (${better.map(({ name }) => name).join(', ')}): the model may remember these candles.`
  if (parts.every(({ verdict }) => verdict === 'too short')) return `Too few answers with a known outcome to tell; ${FEWEST} are needed.`
  return 'No sign that knowing symbol and dates helped. That does not prove that nothing is remembered.'
}
