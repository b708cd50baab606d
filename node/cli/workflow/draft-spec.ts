import type { JobSpec } from '../../domain/job-spec.ts'
import type { JobDraft } from '../job/draft.ts'

/** What a draft will be once its contents have CIDs: enough to see how steps stand to each other. */
export function draftSpec(draft: JobDraft): JobSpec {
  const file = ({ path }: { readonly path: string }) => ({ path, cid: '', size: 0 })
  return {
    kind: draft.kind,
    image: file(draft.program),
    args: draft.args,
    env: draft.env,
    files: draft.files.map(file),
    outputs: draft.outputs,
    resources: draft.resources,
    timeoutMs: draft.timeoutMs,
    stream: draft.stream,
    tasks: draft.tasks,
    inputs: draft.inputs.map(({ name, files }) => ({ name, files: files.map(file) })),
  }
}
