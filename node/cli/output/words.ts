import { isFinal, type JobState } from '../../domain/job-state.ts'
import { formatAmount, TOKEN_DECIMALS, type Amount } from '../../domain/money.ts'
import type { StepState } from '../../domain/workflow.ts'
import type { Style } from './style.ts'

const ONE_TOKEN: Amount = 10n ** BigInt(TOKEN_DECIMALS)

/** A state, set off by whether it is good, bad or still open. */
export function stateText(state: JobState | StepState, style: Style): string {
  if (state === 'settled') return style.good(state)
  if (state === 'waiting') return style.warn(state)
  return state === 'skipped' || isFinal(state) ? style.bad(state) : style.warn(state)
}

/** A moment, Unix ms, to the second and in UTC. */
export function dateText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** A number of things. */
export function counted(count: number, thing: string): string {
  return `${count} ${count === 1 ? thing : `${thing}s`}`
}

/** An amount as a person reads it. */
export function tokens(amount: Amount): string {
  return `${formatAmount(amount)} ${amount === ONE_TOKEN ? 'token' : 'tokens'}`
}
