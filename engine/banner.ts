import { boundedBudget } from './answers.ts'
import type { AiPlan, Resolution } from './config/resolve.ts'
import { costOf, factsOf } from './core/models.ts'
import { baseRate, breakEvenRate, roundTripCosts } from './core/policy.ts'
import { decisionDeadlineMs, timeframeMs } from './core/timeframe.ts'
import type { PaperBlock } from './live-broker.ts'
import type { DecisionProvider, Venue } from './ports.ts'
import { percent, usd } from './report/format.ts'

export interface BannerFacts {
  readonly run: string
  readonly continued: boolean
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  readonly venue: Venue['name']
  /** Orders are filled on paper, with the venue's prices. */
  readonly onPaper: boolean
  /** Why it is this venue, where nobody chose it. */
  readonly because: string | null
  readonly services: readonly { readonly name: string; readonly provider: DecisionProvider }[]
  /** Address of the server; null without one. */
  readonly url: string | null
  /** The host that others reach the server by; null where only this machine can. */
  readonly openTo: string | null
}

/** Tokens of one question and its answer, about: what the bundled prompts take. */
const TOKENS = { input: 280, output: 60 }
const LINE = '='.repeat(72)

const VENUES: Readonly<Record<Venue['name'], string>> = {
  practice: 'a practice exchange on this machine', public: 'Binance', testnet: "Binance's testnet", demo: "Binance's demo venue", mainnet: 'Binance, with REAL MONEY',
}

/** What a start says, line by line. */
export function bannerOf({ scenario }: Resolution, facts: BannerFacts): string[] {
  const { mode, venue, onPaper, because, services, url, run, continued, openTo } = facts
  const { symbols, timeframe, policy, ai } = scenario
  const asked = services.filter(({ provider }) => provider.lacks === undefined)
  const lines = [
    LINE,
    mode === 'AUTONOMOUS' ? '🤖 AUTONOMOUS MODE ENABLED - FULLY AUTOMATED AI TRADING' : '🤖 MANUAL MODE - DECISIONS ARE NOTED AS SIGNAL, NOTHING IS SENT',
    ...(mode === 'AUTONOMOUS' ? ['⚠️  NO HUMAN INTERVENTION REQUIRED - ORDERS ARE SENT BY DECISIONS ALONE'] : []),
    LINE,
    `✅ Trading ${onPaper ? 'on paper, with prices of' : 'at'} ${VENUES[venue]}${because === null ? '' : ` (${because})`}`,
    `✅ ${symbols.join(', ')}, a decision every ${timeframe}, each within ${decisionDeadlineMs(timeframeMs(timeframe)) / 1000} s`,
    `✅ ${continued ? 'Going on with run' : 'Run'} ${run}`,
    ...services.map(({ name, provider: { lacks, model } }, index) =>
      (lacks === undefined ? `✅ ${name} ${index === 0 ? 'primary' : 'backup'} AI service configured${model === undefined ? '' : ` (${model})`}`
        : `➖ ${name} is left out: ${lacks} is not set`)),
    `✅ The strategy's technical rules decide when no AI answers${asked.length === 0 ? ': as no service is configured, they decide alone' : ''}`,
    breakEvenLine(scenario.broker.options as PaperBlock, policy),
    ...(asked.length === 0 || ai === undefined ? [] : [costLine(timeframe, symbols.length, ai.refinements + 1, asked[0].provider.model, ai.consult, boundedBudget(ai.budget))]),
  ]
  if (url === null) return lines
  return [
    ...lines, `📈 Dashboard: ${url}`,
    ...(openTo === null ? [] : [`⚠️  Others reach the page too, as it listens at ${openTo}: the token is sent without encryption, unless a proxy adds it`]),
    '📊 Available API endpoints:',
    '   • GET  /api/autonomous-status        - Current autonomous trader state',
    '   • GET  /api/autonomous-history       - Recent AI decisions (last 20)',
    '   • GET  /api/backup-services-status   - Backup AI services health',
    '   • POST /api/autonomous-toggle        - Start/stop autonomous trader',
    `   • all others: ${url}/docs`,
  ]
}

function breakEvenLine(paper: PaperBlock, { stopLoss, takeProfit, minConfidence }: Resolution['scenario']['policy']): string {
  const { fees: { maker, taker, asset }, slippageBps } = paper
  const needed = breakEvenRate(stopLoss, takeProfit, roundTripCosts({ maker, taker, feeAsset: asset, slippageBps }))
  if (needed === null) return `✅ Entries need confidence ${percent(minConfidence)}; without stop and target there is no break-even`
  const told = `confidence ${percent(minConfidence)}; base rate ${percent(baseRate(stopLoss, takeProfit))}, break-even ${percent(needed)}`
  return minConfidence < needed ? `⚠️  Entries need ${told}: a calibrated trader LOSES money below break-even; minConfidence: breakeven+0.02 is above it`
    : `✅ Entries need ${told}`
}

type Consult = NonNullable<Resolution['scenario']['ai']>['consult']

/** The most that answers can cost, since nobody knows beforehand when rules see something. */
function costLine(
  timeframe: Resolution['scenario']['timeframe'], symbols: number, turns: number, model: string | undefined, consult: Consult, budget: AiPlan['budget'],
): string {
  const every = typeof consult === 'object' ? consult.every : 1
  const calls = Math.round((86_400_000 / timeframeMs(timeframe) / every) * symbols * turns)
  const price = factsOf(model)
  const each = price === null ? null : costOf(price, TOKENS.input, TOKENS.output)
  const most = each === null ? 'at a price nobody knows, which no budget can hold' : `× ${usd(each)} = ${usd(calls * each)}`
  const bounds = [...(budget.run === null ? [] : [`${usd(budget.run)} a run`]), ...(budget.day === null ? [] : [`${usd(budget.day)} a day`])].join(' and ')
  return `💰 ${consult === 'signal' ? 'At most ' : ''}${calls.toLocaleString('en')} AI calls a day ${most}; the budget is ${bounds}, beyond it the rules decide`
}
