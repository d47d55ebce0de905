import type { Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import { record, type RecordResult } from '../record.ts'
import type { Estimate } from '../record-estimate.ts'
import { usd } from '../report/format.ts'
import { plain } from '../report/text.ts'
import { defineCommand } from './command.ts'
import { startCounter } from './progress.ts'
import { resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { wholeNumber } from './values.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: string
  readonly mode: 'record-missing' | 'record'
  readonly concurrency: number
  readonly rate?: number
  readonly budget?: number
  readonly samples: number
  readonly retryFailed: boolean
  readonly dryRun: boolean
  readonly json: boolean
  readonly out: string
}

export const recordCommand = defineCommand<Arguments>({
  command: 'record <scenario>',
  describe: 'Ask AI providers about a tape and keep their answers for replays',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario file with a recording block' }))
      .option('mode', { choices: ['record-missing', 'record'] as const, default: 'record-missing' as const,
        describe: 'record-missing: what the recording lacks; record: everything anew, as a new generation' })
      .option('concurrency', { type: 'number', requiresArg: true, default: 4, describe: 'decisions that are asked about at once' })
      .option('rate', { type: 'number', requiresArg: true, describe: 'decisions per minute at most' })
      .option('budget', { type: 'number', requiresArg: true, describe: 'USD that may be spent at most; left out = the scenario\'s, or 5' })
      .option('samples', { type: 'number', requiresArg: true, default: 1, describe: 'answers to each question, to see how much they differ' })
      .option('retry-failed', { type: 'boolean', default: false, describe: 'ask again where nobody answered' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'say what it would ask and cost, and ask nothing' })
      .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'folder that keeps the health of services' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' })
      .example('$0 record scenarios/demo.yaml --budget 2', 'spend 2 USD at most'),
  async handler(argv, terminal) {
    if (argv.budget !== undefined && !(argv.budget > 0)) throw new TapedeckError('TD_USAGE', '--budget: expected USD above 0, such as 2.50')
    const [resolution] = await resolveAll([argv.scenario], argv, terminal)
    const progress = await startCounter(resolution.scenario.name, 'decisions', !argv.json)
    try {
      const result = await record(resolution, terminal.worldOf(argv.out), {
        mode: argv.mode, concurrency: wholeNumber('concurrency', argv.concurrency, 1), samples: wholeNumber('samples', argv.samples, 1),
        perMinute: argv.rate === undefined ? null : wholeNumber('rate', argv.rate, 1), budget: argv.budget ?? null,
        retryFailed: argv.retryFailed, dryRun: argv.dryRun,
        estimated: (estimate) => { if (!argv.json) terminal.print(estimateText(estimate)) },
        onProgress: (done, total, costUsd) => progress.update(done, total, usd(costUsd)),
      })
      progress.stop()
      if (argv.json) terminal.json({ ...result, stopped: result.stopped?.message ?? null })
      else if (!argv.dryRun && (result.asked > 0 || result.stopped !== null)) terminal.print(resultText(result, terminal))
      if (terminal.interrupted) return 130
      return result.stopped === null ? 0 : terminal.fail(result.stopped)
    } finally {
      progress.stop()
    }
  },
})

const count = (amount: number): string => Math.round(amount).toLocaleString('en')

function estimateText(estimate: Estimate): string {
  const { folder, decisions, recorded, requests, inputTokens, outputTokens, costUsd, worstUsd, budgetUsd, prices, providers, contaminated } = estimate
  const chain = providers.map(({ name, model, lacks }) => `${name}${model === null ? '' : ` (${model})`}${lacks === null ? '' : ` left out, ${lacks} is not set`}`)
  const money = costUsd === null ? 'no price is known for the first of them, so that no budget can hold'
    : `about ${usd(costUsd)}, ${usd(worstUsd!)} in the worst case (prices of ${prices}); at most ${usd(budgetUsd)} will be spent`
  // Models and folders are named by a file, which may be somebody else's.
  return [
    `Recording    ${folder}`,
    `Asked        ${chain.join(' → ')} → rules`,
    `Decisions    ${count(decisions)}, ${count(recorded)} of them recorded already`,
    ...(recorded === decisions ? ['Nothing is left to ask.'] : [
      `To ask       ${count(requests)} requests, about ${count(inputTokens)} tokens in and ${count(outputTokens)} out`,
      `Cost         ${money}`,
    ]),
    ...contaminated.map(({ model, cutoff, decisions: known }) =>
      `warning: ${count(known)} of ${count(decisions)} decisions lie before ${cutoff}, up to which ${model} may simply remember what happened; `
      + 'blind: true hides symbol and dates, which lessens that but proves nothing'),
  ].map(plain).join('\n')
}

function resultText({ asked, answered, costUsd, finished, folder }: RecordResult, terminal: Terminal): string {
  const end = finished ? 'Done.' : terminal.interrupted ? 'Stopped; the same command goes on from here, and asks nothing twice.'
    : 'Stopped. The same command goes on from here, and asks nothing twice.'
  return `${count(asked)} decisions asked about, ${count(answered)} answered by an AI, ${usd(costUsd)} spent, into ${plain(folder)}. ${end}`
}
