import { Type, type Static } from 'typebox'

const Task = Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 }))
const Word = Type.String({ maxLength: 8192 })
const Characters = Type.Integer({ minimum: 0, maximum: 65_535 })

/** A program to run inside a task: the first frame of an upgraded connection. */
export const ExecBody = Type.Object(
  {
    task: Task,
    command: Type.Array(Word, { minItems: 1, maxItems: 256 }),
    env: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Word)),
    terminal: Type.Optional(
      Type.Object({ columns: Characters, rows: Characters }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
)
export type ExecBody = Static<typeof ExecBody>

/** A port inside a task: likewise. */
export const ForwardBody = Type.Object(
  { task: Task, port: Type.Integer({ minimum: 1, maximum: 65_535 }) },
  { additionalProperties: false },
)
export type ForwardBody = Static<typeof ForwardBody>
