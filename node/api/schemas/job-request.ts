import { Type, type Static } from 'typebox'
import { MAX_DESTINATION_CHARS, MAX_EGRESS } from '../../domain/egress.ts'
import { GPU_VENDORS, MAX_GPUS } from '../../domain/gpu-need.ts'
import { MAX_ATTEMPTS } from '../../domain/job-handling.ts'
import { JOB_KINDS } from '../../domain/job-spec.ts'
import { MAX_PAY_EVERY_MS, MIN_PAY_EVERY_MS } from '../../domain/metering.ts'
import { MAX_BID_WINDOW_MS, MAX_TASK_TIMEOUT_MS, MAX_TASKS } from '../../domain/offer.ts'
import { USE_UNITS } from '../../domain/paid-use.ts'
import { MAX_REPOSITORY_CHARS } from '../../domain/registry-image.ts'
import { MAX_SECRETS, type SecretSlot } from '../../domain/secret-slot.ts'
import { MAX_PATH_CHARS, MAX_SECRETS_BYTES } from '../../protocol/limits.ts'
import { AmountText, FileBody, TaskResourcesBody } from './basics.ts'
import { handlingFields } from './job-handling.ts'

const closed = { additionalProperties: false }
/** More bids than this for one offer are not kept. */
const MAX_BIDS_WANTED = 1000

/** One value in base64 may be as long as all of them together. */
const MAX_SECRET_TEXT_CHARS: number = 4 * Math.ceil(MAX_SECRETS_BYTES / 3)

const GpuNeedBody = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: MAX_GPUS }),
    vendor: Type.Optional(Type.Enum([...GPU_VENDORS])),
    memoryBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  },
  closed,
)

const TaskInputBody = Type.Object(
  {
    name: Type.String({ maxLength: MAX_PATH_CHARS }),
    files: Type.Array(FileBody),
    stdin: Type.Optional(FileBody),
  },
  closed,
)

/** Checked further with the whole spec: a secret has one place. */
const SecretSlotBody = Type.Unsafe<SecretSlot>(
  Type.Object(
    {
      name: Type.String({ maxLength: MAX_PATH_CHARS }),
      env: Type.Optional(Type.String({ maxLength: MAX_PATH_CHARS })),
      path: Type.Optional(Type.String({ pattern: '^/', maxLength: MAX_PATH_CHARS })),
    },
    closed,
  ),
)

/** A job as providers will see it. Its contents must be on this node, or findable in the DHT. */
export const JobSpecBody = Type.Object(
  {
    kind: Type.Enum([...JOB_KINDS]),
    image: FileBody,
    repository: Type.Optional(Type.String({ maxLength: MAX_REPOSITORY_CHARS })),
    args: Type.Array(Type.String()),
    env: Type.Record(Type.String(), Type.String()),
    files: Type.Array(FileBody),
    stdin: Type.Optional(FileBody),
    outputs: Type.String({ pattern: '^/', maxLength: MAX_PATH_CHARS }),
    resources: TaskResourcesBody,
    gpus: Type.Optional(GpuNeedBody),
    egress: Type.Optional(
      Type.Array(Type.String({ maxLength: MAX_DESTINATION_CHARS }), { maxItems: MAX_EGRESS }),
    ),
    secrets: Type.Optional(Type.Array(SecretSlotBody, { maxItems: MAX_SECRETS })),
    timeoutMs: Type.Integer({ minimum: 1, maximum: MAX_TASK_TIMEOUT_MS }),
    service: Type.Optional(
      Type.Object(
        {
          payEveryMs: Type.Integer({
            minimum: MIN_PAY_EVERY_MS,
            maximum: MAX_PAY_EVERY_MS,
            multipleOf: 1000,
            description: 'paid by the second, after each such time; prices are of a second',
          }),
        },
        closed,
      ),
    ),
    pay: Type.Optional(
      Type.Enum([...USE_UNITS], {
        description: 'paid by what a task uses; its price is the most it comes to',
      }),
    ),
    fuel: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    deterministic: Type.Optional(Type.Boolean()),
    stream: Type.Boolean(),
    tasks: Type.Integer({ minimum: 1, maximum: MAX_TASKS }),
    inputs: Type.Array(TaskInputBody, { maxItems: MAX_TASKS }),
  },
  closed,
)

const asked = {
  spec: JobSpecBody,
  maxPrice: AmountText,
  /** Most to pay for all of the job, every run of every task. */
  budget: Type.Optional(AmountText),
  attempts: Type.Integer({ minimum: 1, maximum: MAX_ATTEMPTS }),
  bidWindowMs: Type.Integer({ minimum: 1, maximum: MAX_BID_WINDOW_MS }),
  bidsWanted: Type.Integer({ minimum: 1, maximum: MAX_BIDS_WANTED }),
  ...handlingFields,
}

/** What a user asks for. */
export const JobRequestBody = Type.Object(asked, closed)
export type JobRequestBody = Static<typeof JobRequestBody>

/** What starts a job: what is asked for and, apart from it, the values of its secrets. No answer ever holds those. */
export const JobSubmissionBody = Type.Object(
  {
    ...asked,
    secrets: Type.Optional(
      Type.Record(
        Type.String({ maxLength: MAX_PATH_CHARS }),
        Type.String({ maxLength: MAX_SECRET_TEXT_CHARS, description: 'base64' }),
        { maxProperties: MAX_SECRETS },
      ),
    ),
  },
  closed,
)
export type JobSubmissionBody = Static<typeof JobSubmissionBody>
