import type { Decision } from '../data/types.ts'

type Step = { readonly name: string; readonly state: 'yes' | 'no' | 'none'; readonly says: string }

function steps({ phases }: Pick<Decision, 'phases'>): readonly Step[] {
  const verdict = (name: string, passed: boolean | null): Step =>
    ({ name, state: passed === null ? 'none' : passed ? 'yes' : 'no', says: passed === null ? 'not asked' : passed ? 'passed' : 'refused' })
  return [
    { name: 'Analysis', state: phases.initial ? 'yes' : 'none', says: phases.initial ? 'done' : 'not asked' },
    { name: 'Refinement', state: phases.refinement > 0 ? 'yes' : 'none',
      says: phases.refinement > 0 ? `${phases.refinement} ${phases.refinement === 1 ? 'turn' : 'turns'}` : 'not asked' },
    verdict('Risk', phases.risk),
    verdict('Confidence', phases.confidence),
  ]
}

const SIGNS = { yes: '✓', no: '✕', none: '·' } as const

/** The four phases of a decision, each with a sign and a word. */
export const Phases = ({ of }: { readonly of: Pick<Decision, 'phases'> }) => (
  <ol class="phases" aria-label="Phases">
    {steps(of).map(({ name, state, says }) => (
      <li key={name} class={state} title={`${name}: ${says}`}>
        <span aria-hidden="true">{SIGNS[state]} {name}</span><span class="sr">{name}: {says}</span>
      </li>
    ))}
  </ol>
)
