import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { OutputPipes } from '../../../../node/adapters/native/output-pipes.ts'

const skip = process.platform === 'linux' ? false : `skipped: no native jobs on ${process.platform}`

test(
  'a name is used again, but not once somebody may still print into what it meant',
  { skip },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hive-pipes-'))
    try {
      const pipes = new OutputPipes({ folder })
      const first = await pipes.take()
      assert.deepEqual((await readdir(folder)).toSorted(), ['1', '2'])
      await first[Symbol.asyncDispose]()
      assert.deepEqual((await readdir(folder)).toSorted(), ['1', '2'])
      const retired = await pipes.take()
      await retired.retire()
      await retired[Symbol.asyncDispose]()
      assert.equal((await readdir(folder)).length, 1)
      const others = [await pipes.take(), await pipes.take()]
      assert.equal((await readdir(folder)).length, 3)
      for (const one of others) await one[Symbol.asyncDispose]()
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
