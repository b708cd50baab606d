import type { CaseKind, CaseState } from '../../domain/case.ts'
import { short, type Bytes32 } from '../../domain/ids.ts'
import { dateText, tokens } from '../output/words.ts'
import type { CaseStory } from './channel-sums.ts'
import type { Findings } from './findings.ts'

const ACCUSATIONS: Readonly<Record<CaseKind, string>> = {
  'non-payment': 'its receipt was not paid',
  'wrong-result': 'its result is not the job’s',
  'no-show': 'no receipt came in time',
  delivered: 'its receipt, shown later, was not paid',
  equivocation: 'its provider signed two receipts',
}

const OUTCOMES: Readonly<Record<CaseState, string>> = {
  opened: 'unanswered',
  'paid-shown': 'with a payment shown',
  contested: 'contested',
  'provider-right': 'for the provider',
  'provider-wrong': 'against the provider',
  undecided: 'undecided, with the split that both had agreed on',
  paid: 'for the requester, who had paid',
}

/** Says what cases over shares of a channel there were, and how they ended. */
export function caseFindings(cases: ReadonlyMap<Bytes32, CaseStory>, findings: Findings): void {
  for (const [id, { opened, ended }] of cases) {
    if (opened !== undefined)
      findings.onChain(
        `In block ${opened.block} ${opened.opener} brought share ${short(id)} before the contract, because ${ACCUSATIONS[opened.kind]}. The case held ${tokens(opened.amount)} of the deposit and ${tokens(opened.stake)} of the bond.`,
        'state',
      )
    if (ended !== undefined)
      findings.onChain(
        `In block ${ended.block} the case about share ${short(id)} ended ${OUTCOMES[ended.outcome]}. It paid ${tokens(ended.paid)}, of which ${tokens(ended.fee)} is the platform’s fee; of the stake ${tokens(ended.compensation)} went to the requester and ${tokens(ended.slashed)} to the treasury.`,
        'state',
      )
    else if (opened !== undefined)
      findings.open(
        `How the case about share ${short(id)} ends: it is open. Its first answer was due by ${dateText(opened.deadline * 1000)}.`,
        'state',
      )
  }
}
