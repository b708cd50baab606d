import type { Bytes32, Cid } from './ids.ts'

/** A provider's signed word on a finished share. Exactly one is ever signed per agreement. */
export interface Receipt {
  readonly agreement: Bytes32
  /** Tasks that ran to a billable end. */
  readonly completed: number
  /** What the provider asks for it, at most the agreed price. */
  readonly amount: bigint
  /** Commits to (agreement, provider, dataRoot, salt), so that a second provider cannot copy it. */
  readonly resultCommit: Bytes32
  /** Root of the execution trace; zero where the job has none. */
  readonly trace: Bytes32
  /** SHA-256 of the results manifest. */
  readonly dataRoot: Bytes32
  /** Unix seconds. */
  readonly finishedAt: number
}

/** How a task ended. Only `exit` carries a meaningful exit code. */
export const END_REASONS = [
  'exit',
  'timeout',
  'oom',
  'output-limit',
  'disk-limit',
  'fuel',
  'killed',
  'start-failed',
  'image-bad',
  'stopped',
] as const
export type EndReason = (typeof END_REASONS)[number]

/** Ends that are the job's own doing, so the provider is paid for the work. */
const BILLABLE: ReadonlySet<EndReason> = new Set([
  'exit',
  'timeout',
  'oom',
  'output-limit',
  'disk-limit',
  'fuel',
  'stopped',
])

/** Whether a task that ended so is paid. */
export function isBillable(reason: EndReason): boolean {
  return BILLABLE.has(reason)
}

/** What a task used. */
export interface Usage {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMemoryBytes: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Instructions, weighted, where they were counted and the task came to an end of its own or of its fuel. */
  readonly fuel?: number
}

/** A file that a task left behind. */
export interface OutputFile {
  readonly path: string
  readonly cid: Cid
  readonly size: number
}

/** How one task went; the results manifest is the list of these. */
export interface TaskResult {
  readonly index: number
  readonly reason: EndReason
  readonly exitCode: number
  /** What went wrong, in words for the requester; empty on success. */
  readonly detail: string
  readonly stdout: OutputFile
  readonly stderr: OutputFile
  readonly files: readonly OutputFile[]
  readonly usage: Usage
  /** Somebody got inside while it ran, so that its result is nobody's to reproduce. */
  readonly attached?: boolean
}

/** The broken rule of a receipt, or `undefined`. `tasks` is the awarded list, `asked` what these results cost. */
export function receiptFault(
  receipt: Receipt,
  results: readonly TaskResult[],
  tasks: readonly number[],
  asked: (results: readonly TaskResult[]) => bigint,
): string | undefined {
  // [REJECT] receipts R2: the manifest has one result for each awarded task, in order
  if (results.length !== tasks.length) return 'R2'
  if (results.some((result, at) => result.index !== tasks[at])) return 'R2'
  const billable = results.filter((result) => isBillable(result.reason)).length
  // [REJECT] receipts R3: completed counts the billable ends
  if (receipt.completed !== billable) return 'R3'
  // [REJECT] receipts R4: the amount is what the completed tasks cost, by their use where that is paid, or the seconds told
  if (receipt.amount !== asked(results)) return 'R4'
  return undefined
}
