import { readFile } from 'node:fs/promises'
import type { JobRequestBody } from '../../api/schemas/job-request.ts'
import { handlingView } from '../../api/views/handling-view.ts'
import { HiveError } from '../../domain/errors.ts'
import type { NodeClient } from '../node-client.ts'
import { peerNamed } from '../peer-name.ts'
import type { CliParts } from '../parts.ts'
import type { DraftFile, JobDraft } from './draft.ts'
import { placeImage } from './image-placing.ts'

/** Puts a job's contents on the node, each file once, and returns what to submit. */
export async function uploadJob(
  draft: JobDraft,
  parts: Pick<CliParts, 'readImage' | 'cwd'>,
  client: NodeClient,
  signal: AbortSignal,
): Promise<JobRequestBody> {
  const stored = new Map<string, { readonly cid: string; readonly size: number }>()
  const store = async ({ path, source }: DraftFile) => {
    const known = stored.get(source) ?? (await client.upload(await contentOf(source), { signal }))
    stored.set(source, known)
    return { path, ...known }
  }
  const storeAll = async (files: readonly DraftFile[]) => {
    const all: Awaited<ReturnType<typeof store>>[] = []
    for (const file of files) all.push(await store(file))
    return all
  }
  const inputs: JobRequestBody['spec']['inputs'] = []
  const program =
    draft.program.from === 'module'
      ? { image: await store(draft.program) }
      : await placeImage(draft.program, parts, client, signal)
  const files = await storeAll(draft.files)
  for (const { name, files: own } of draft.inputs) inputs.push({ name, files: await storeAll(own) })
  const { providers } = draft.handling
  const stdin =
    draft.stdin === undefined ? undefined : await store({ path: '/stdin', source: draft.stdin })
  return {
    spec: {
      kind: draft.kind,
      ...program,
      args: [...draft.args],
      env: { ...draft.env },
      files,
      ...(stdin !== undefined && { stdin }),
      outputs: draft.outputs,
      resources: draft.resources,
      ...(draft.gpus !== undefined && { gpus: draft.gpus }),
      ...(draft.egress.length > 0 && { egress: [...draft.egress] }),
      ...(draft.secrets.length > 0 && { secrets: draft.secrets.map(({ slot }) => slot) }),
      timeoutMs: draft.timeoutMs,
      ...(draft.service !== undefined && { service: draft.service }),
      ...(draft.pay !== undefined && { pay: draft.pay }),
      ...(draft.fuel !== undefined && { fuel: draft.fuel }),
      ...(draft.deterministic && { deterministic: true }),
      stream: draft.stream,
      tasks: draft.tasks,
      inputs,
    },
    maxPrice: draft.maxPrice.toString(),
    ...(draft.budget !== undefined && { budget: draft.budget.toString() }),
    attempts: draft.attempts,
    bidWindowMs: draft.bidWindowMs,
    bidsWanted: draft.bidsWanted,
    ...handlingView(draft.handling),
    ...(providers !== undefined && {
      providers: await Promise.all(providers.map(async (name) => peerNamed(client, name, signal))),
    }),
  }
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new HiveError('SPEC_FILE_MISSING', { path }, { cause })
  }
}
