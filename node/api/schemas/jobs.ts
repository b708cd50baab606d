import { Type, type Static } from 'typebox'
import { JOB_STATES } from '../../domain/job-state.ts'
import { END_REASONS } from '../../domain/receipt.ts'
import { OfferAnswersBody } from './answers.ts'
import { AddressText, AmountText, Bytes32Text, CidText, FileBody, TimeMs } from './basics.ts'
import { JobRequestBody } from './job-request.ts'

/** Where a job or share stands. */
export const StateBody = Type.Enum([...JOB_STATES])

/** How one task went. */
export const TaskResultBody = Type.Object({
  index: Type.Integer(),
  reason: Type.Enum([...END_REASONS]),
  exitCode: Type.Integer(),
  detail: Type.String(),
  stdout: FileBody,
  stderr: FileBody,
  files: Type.Array(FileBody),
  usage: Type.Object({
    wallMs: Type.Integer(),
    cpuMs: Type.Integer(),
    peakMemoryBytes: Type.Integer(),
    bytesIn: Type.Integer(),
    bytesOut: Type.Integer(),
    fuel: Type.Optional(Type.Integer()),
  }),
  /** Somebody got inside while it ran. */
  attached: Type.Optional(Type.Boolean()),
})
export type TaskResultBody = Static<typeof TaskResultBody>

/** Why a job failed. */
export const JobError = Type.Object({
  code: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
})

const summaryFields = {
  id: Bytes32Text,
  state: StateBody,
  kind: Type.String(),
  /** Name of the program, as the requester called it. */
  image: Type.String(),
  tasks: Type.Integer(),
  /** Tasks that have a verified result. */
  done: Type.Integer(),
  /** Of those, the ones that did not exit with 0. */
  failed: Type.Integer(),
  /** Tasks that were answered from the result cache, and cost nothing. */
  cached: Type.Optional(Type.Integer()),
  /** The step of a workflow that it is. */
  origin: Type.Optional(Type.Object({ workflow: Bytes32Text, step: Type.String() })),
  createdAt: TimeMs,
  /** Why it is to end before its time, with what it has. */
  ending: Type.Optional(Type.String()),
  finishedAt: Type.Optional(TimeMs),
  /** When its owner had all its results outside of the node. */
  fetchedAt: Type.Optional(TimeMs),
  error: Type.Optional(JobError),
}

/** A job in one line. */
export const JobSummary = Type.Object(summaryFields)
export type JobSummary = Static<typeof JobSummary>

/** A provider's share of a job, seen from the requester. */
export const ShareBody = Type.Object({
  id: Bytes32Text,
  state: StateBody,
  provider: AddressText,
  peer: Type.String(),
  channel: Bytes32Text,
  seq: Type.Integer(),
  tasks: Type.Array(Type.Integer()),
  attempt: Type.Integer(),
  price: AmountText,
  /** What its verified receipt asks; promised by a voucher. */
  amount: Type.Optional(AmountText),
  error: Type.Optional(Type.String()),
})
export type ShareBody = Static<typeof ShareBody>

/** Everything about a job but the bytes of its results. */
export const JobBody = Type.Object({
  ...summaryFields,
  request: JobRequestBody,
  specCid: CidText,
  results: Type.Array(Type.Union([TaskResultBody, Type.Null()])),
  shares: Type.Array(ShareBody),
  /** How long a service runs in all whose time was extended. */
  termMs: Type.Optional(Type.Integer({ description: 'ms' })),
  /** Tasks without a result that were run before. */
  again: Type.Optional(
    Type.Array(
      Type.Object({
        task: Type.Integer(),
        /** How often it was run so far. */
        runs: Type.Integer(),
        notBefore: TimeMs,
        /** How it ended, where its program had a say in that. */
        last: Type.Optional(
          Type.Object({ reason: Type.Enum([...END_REASONS]), exitCode: Type.Integer() }),
        ),
      }),
    ),
  ),
  /** Tasks that run now, in their providers' words. */
  running: Type.Optional(
    Type.Array(
      Type.Object({
        task: Type.Integer(),
        provider: AddressText,
        attempt: Type.Integer(),
        startedAt: TimeMs,
        /** How far it says that it is. */
        percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
      }),
    ),
  ),
  /** Of the last offers that somebody declined or that did not place everything, the newest last. */
  answers: Type.Optional(Type.Array(OfferAnswersBody)),
  /** Promised by vouchers for this job. */
  paid: AmountText,
})
export type JobBody = Static<typeof JobBody>

/** One server-sent event of a job. */
export const JobEventBody = Type.Union([
  Type.Object({ type: Type.Literal('job'), job: JobSummary }),
  Type.Object({ type: Type.Literal('share'), share: ShareBody }),
  Type.Object({
    type: Type.Literal('task'),
    index: Type.Integer(),
    provider: Type.String(),
    /** The provider's word, before it is verified; absent when the task has just started. */
    result: Type.Optional(TaskResultBody),
  }),
  Type.Object({
    type: Type.Literal('progress'),
    index: Type.Integer(),
    /** How far the running task says that it is. */
    percent: Type.Integer({ minimum: 0, maximum: 100 }),
  }),
  Type.Object({
    type: Type.Literal('log'),
    index: Type.Integer(),
    /** 1 stdout, 2 stderr. */
    stream: Type.Integer(),
    /** Where in the stream of its run it begins, bytes. */
    at: Type.Integer(),
    /** Base64. */
    data: Type.String(),
  }),
  /** Among logs only: the output of another run of the task follows. */
  Type.Object({
    type: Type.Literal('run'),
    index: Type.Integer(),
    /** Counts the runs that the job allows. */
    attempt: Type.Optional(Type.Integer()),
    provider: Type.Optional(Type.String()),
    /** Why it brought no result; absent while it runs. */
    end: Type.Optional(Type.String()),
    /** It is that of the verified result, and what was sent before is not. */
    verified: Type.Optional(Type.Literal(true)),
  }),
])
export type JobEventBody = Static<typeof JobEventBody>
