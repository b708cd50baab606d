import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHardwareProbe } from '../../../../node/adapters/system/hardware-probe.ts'

test('hardware: this machine has a processor, memory and disk', async () => {
  const hardware = await createHardwareProbe({ workDir: tmpdir() }).detect()
  assert.ok(hardware.cores >= 1)
  assert.ok(hardware.memoryBytes > 0)
  assert.ok(hardware.diskBytes > 0)
  assert.notEqual(hardware.cpuModel, '')
})

test('hardware: a folder that is not there offers no disk', async () => {
  const workDir = join(tmpdir(), 'no', 'such', 'folder')
  assert.equal((await createHardwareProbe({ workDir }).detect()).diskBytes, 0)
})

test('hardware: graphics cards are those that the driver lists, by model', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hive-root-'))
  t.after(() => rm(root, { recursive: true }))
  const probe = createHardwareProbe({ workDir: root, root })
  assert.deepEqual((await probe.detect()).gpus, [])
  for (const [slot, text] of [
    ['0000:01:00.0', 'Model: \t\t NVIDIA Test 9000\nIRQ: 7\n'],
    ['0000:02:00.0', 'unreadable'],
  ] as const) {
    const card = join(root, 'proc/driver/nvidia/gpus', slot)
    await mkdir(card, { recursive: true })
    await writeFile(join(card, 'information'), text)
  }
  assert.deepEqual((await probe.detect()).gpus, ['NVIDIA Test 9000'])
})
