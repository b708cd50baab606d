import assert from 'node:assert/strict'
import { MiB } from '../../../node/domain/units.ts'
import { MAX_OUTPUT_BYTES, MAX_OUTPUT_FILES } from '../../../node/protocol/limits.ts'
import { PROGRAMS, shell } from '../../support/docker-programs.ts'
import { HeapWatch } from '../../support/heap.ts'
import { attempt, type Attack } from './attack.ts'

/** What a job in an image tries with what it hands back: files, and what it prints. */
export const OUTPUT_ATTACKS: readonly Attack[] = [
  {
    name: 'more output files than any result may name',
    contained: 'disk-limit, and none of them comes back',
    attempt: async (target, bait) => {
      const command = `i=0; while [ $i -lt ${MAX_OUTPUT_FILES + 1} ] && : > /out/$i; do i=$((i+1)); done; echo $i`
      const { said, reason, files } = await attempt(target, bait, shell(command))
      assert.equal(said, `${MAX_OUTPUT_FILES + 1}\n`)
      assert.equal(reason, 'disk-limit')
      assert.deepEqual(files, [])
    },
  },
  {
    name: 'outputs that are larger than they look: many links to one file',
    contained: 'disk-limit, and none of them comes back',
    attempt: async (target, bait) => {
      const command =
        'cd /out; dd if=/dev/zero of=big bs=1M count=8; i=0; while [ $i -lt 60 ]; do ln big $i; i=$((i+1)); done; echo done'
      const limits = { diskBytes: 16 * MiB }
      const { said, reason, files } = await attempt(target, bait, shell(command), { limits })
      assert.equal(said, 'done\n')
      assert.equal(reason, 'disk-limit')
      assert.deepEqual(files, [])
    },
  },
  {
    name: 'outputs that are larger than they look: files of holes',
    contained: 'disk-limit, and none of them comes back',
    attempt: async (target, bait) => {
      const limits = { diskBytes: 16 * MiB }
      for (const size of ['20M', '1G']) {
        const command = `truncate -s ${size} /out/holes; echo done`
        const { said, reason, files } = await attempt(target, bait, shell(command), { limits })
        assert.equal(said, 'done\n')
        assert.equal(reason, 'disk-limit', size)
        assert.deepEqual(files, [])
      }
    },
  },
  {
    name: 'a flood of output',
    contained: 'cut at its cap',
    attempt: async (target, bait) => {
      const limits = { outputBytes: 50_000 }
      const { reason, stdout } = await attempt(target, bait, shell('yes & exec yes >&2'), {
        limits,
      })
      assert.equal(reason, 'output-limit')
      assert.ok(stdout.length <= 50_000)
    },
  },
  {
    name: 'a flood of output by the byte, on either stream in turn',
    contained: 'it costs the node its bytes and no more',
    attempt: async (target, bait) => {
      const heap = new HeapWatch()
      const { reason, stdout, stderr } = await attempt(target, bait, PROGRAMS.drip, {
        limits: { outputBytes: MAX_OUTPUT_BYTES, wallMs: 2000 },
        onOutput: () => {
          heap.look()
        },
      })
      assert.equal(reason, 'timeout')
      assert.ok(heap.taken < 8 * MiB + 2 * (stdout.length + stderr.length), `${heap.taken} B`)
    },
  },
]
