import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Receipt, TaskResult } from '../../../node/domain/receipt.ts'
import { KiB, MiB } from '../../../node/domain/units.ts'
import { decodeJobSpec, encodeJobSpec } from '../../../node/protocol/job-spec-codec.ts'
import { MAX_OUTPUT_BYTES, MAX_TASK_INPUT_BYTES } from '../../../node/protocol/limits.ts'
import { encodeManifest, manifestRoot, resultCommit } from '../../../node/protocol/results.ts'
import type { ShareRecord } from '../../../node/services/requester/records.ts'
import { verifyShare } from '../../../node/services/requester/verifying.ts'
import { aReceipt, aResult, aSpec, bytes32Of, SOME_CID } from '../../support/messages.ts'
import { TestMarket } from '../../support/test-market.ts'

const { signal } = new AbortController()
const file = (path: string, size: number) => ({ path, cid: SOME_CID, size })

test('a spec whose tasks would each fill the memory with inputs is refused', () => {
  const half = MAX_TASK_INPUT_BYTES / 2
  const spec = (files: number, own: number, stdin: number) =>
    encodeJobSpec(
      aSpec({
        files: [file('/a', files)],
        tasks: 2,
        inputs: [
          { name: 'small', files: [] },
          { name: 'large', files: [file('/b', own)], stdin: file('/stdin', stdin) },
        ],
      }),
    )
  assert.equal(decodeJobSpec(spec(half, half - 1, 1)).tasks, 2)
  assert.throws(() => decodeJobSpec(spec(half, half, 1)), {
    code: 'MESSAGE_MALFORMED',
    data: {
      path: 'spec.files',
      expected: `at most ${MAX_TASK_INPUT_BYTES} bytes of input for a task`,
    },
  })
})

test('receipts R7: results larger than a task may leave are refused before a byte of them is fetched', async () => {
  const market = new TestMarket()
  const [alice, bob] = [market.member(), market.member()]
  const disk = 64 * KiB
  const spec = aSpec({
    tasks: 1,
    inputs: [],
    files: [file('/given', 1)],
    resources: { cpuMillis: 1, memoryBytes: 1, diskBytes: disk },
  })
  const verify = async (changes: Partial<TaskResult>) => {
    const bytes = encodeManifest([aResult(0, changes)])
    const dataRoot = manifestRoot(bytes)
    const [id, salt] = [bytes32Of('a9'), bytes32Of('5a')]
    const provider = bob.signing.address
    const message: Receipt = aReceipt({
      agreement: id,
      completed: 1,
      amount: 5n,
      dataRoot,
      resultCommit: resultCommit(id, provider, dataRoot, salt),
    })
    const bill = { agreement: id, asked: () => 5n, paid: 0n }
    const share = { id, provider, peer: bob.signing.peer, tasks: [0], price: 5n } as const
    const last = {
      type: 'receipt',
      receipt: bob.signing.seal('Receipt', message).bytes,
      salt,
      manifest: await bob.blobs.add(bytes),
    } as const
    const parts = market.parts(alice)
    return verifyShare(parts, share as unknown as ShareRecord, bill, spec, last, signal)
  }
  const tooLarge = { code: 'RECEIPT_INVALID', data: { rule: 'R7' } }
  const fetched = { code: 'RESULT_UNAVAILABLE' }
  const most = disk + 1 + MiB
  await assert.rejects(verify({ files: [file('/out/a', most)] }), fetched)
  await assert.rejects(verify({ files: [file('/out/a', most - 5), file('/out/b', 6)] }), tooLarge)
  const stdout = file('/stdout', MAX_OUTPUT_BYTES)
  await assert.rejects(verify({ stdout, stderr: file('/stderr', 0) }), fetched)
  await assert.rejects(verify({ stdout, stderr: file('/stderr', 1) }), tooLarge)
})
