import { resolve } from 'node:path'
import type { WorkflowBody } from '../../api/schemas/workflows.ts'
import { HiveError, isErrorCode, type ErrorData } from '../../domain/errors.ts'
import type { CommandContext } from '../command.ts'
import { EXIT } from '../job/exit-code.ts'
import type { JobFlags, SpecDocument } from '../job/job-file.ts'
import { printJson, printLine } from '../output/printing.ts'
import { styleFor } from '../output/style.ts'
import { progressText, workflowLines } from '../output/workflow-text.ts'
import { followWorkflow, uploadWorkflow, writeStepOutputs } from '../workflow/run-workflow.ts'
import { readWorkflow } from '../workflow/workflow-file.ts'
import { JobHold } from './job-hold.ts'
import type { RunEnd } from './run-flags.ts'

/** `hive run` of a spec file with steps. Resolves with the exit code; throws why the workflow failed. */
export async function runWorkflow(
  { parts, json, node, show: showAll }: CommandContext,
  document: SpecDocument,
  flags: JobFlags,
  { out, detach }: RunEnd,
): Promise<number> {
  refuseFlags(flags)
  const draft = await readWorkflow(document)
  const client = await node()
  const style = styleFor(parts.stderr, parts.env.noColor)
  using hold = new JobHold(parts, client)
  const { signal } = hold
  try {
    const body = await uploadWorkflow(draft, parts, client, signal)
    const workflow = await client.post<WorkflowBody>('/v1/workflows', body, { signal })
    const { id } = workflow
    if (detach) {
      await showAll(workflow, () => [id])
      return EXIT.ok
    }
    hold.take(`/v1/workflows/${id}`)
    let last = ''
    const show = async (now: WorkflowBody) => {
      if (json) return printJson(parts.stdout, { type: 'workflow', workflow: now })
      const line = `hive: ${id.slice(0, 10)} ${now.state} · ${progressText(now)}`
      if (line !== last) await printLine(parts.stderr, line)
      last = line
    }
    const ended = await followWorkflow(client, id, show, signal)
    const dir = out === undefined ? undefined : resolve(parts.cwd, out)
    const written = dir === undefined ? [] : await writeStepOutputs(ended, dir, client, signal)
    const exitCode = exitOf(ended)
    if (json) await printJson(parts.stdout, { type: 'end', workflow: id, exitCode, written })
    else {
      for (const line of workflowLines(ended, style)) await printLine(parts.stderr, line)
      if (written.length > 0)
        await printLine(parts.stderr, `hive: ${written.length} files in ${out}`)
    }
    const { error } = ended
    if (error === undefined || ended.state === 'cancelled') return exitCode
    throw new HiveError(isErrorCode(error.code) ? error.code : 'INTERNAL', error.data as ErrorData)
  } catch (error) {
    if (!signal.aborted) throw error
    return EXIT.interrupted
  }
}

function exitOf({ state }: WorkflowBody): number {
  if (state === 'settled') return EXIT.ok
  return state === 'cancelled' ? EXIT.interrupted : EXIT.ours
}

/** A workflow is what its file says: a flag would not say which step it is for. */
function refuseFlags(flags: JobFlags): void {
  const given = Object.keys(flags)
  if (given.length > 0)
    throw new HiveError('INPUT_INVALID', {
      problems: given.map((name) => `${name}: belongs into a step of the workflow’s file`),
    })
}
