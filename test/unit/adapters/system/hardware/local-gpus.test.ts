import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GiB, MiB } from '../../../../../node/domain/units.ts'
import { FakeMachine } from './fake-machine.ts'

const H100 = { id: '10de:2330', class: '030200', driver: 'nvidia' }
const uuidOf = (digit: number): string =>
  `GPU-${`${digit}`.repeat(8)}-aaaa-bbbb-cccc-${'0'.repeat(12)}`
const information = (slot: string): string => `proc/driver/nvidia/gpus/${slot}/information`
const told = (uuid: string): string =>
  `Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 45\nGPU UUID: \t ${uuid}\nVideo BIOS: \t 96\n`

/** Two H100 and both chips of an MI250 beside a graphics chip of the mainboard. */
async function mixed(): Promise<FakeMachine> {
  const machine = await FakeMachine.build({
    [information('0000:18:00.0')]: told(uuidOf(1)),
    [information('0000:19:00.0')]: told(uuidOf(2)),
    'dev/kfd': '',
  })
  for (const slot of ['0000:18:00.0', '0000:19:00.0']) await machine.pci(slot, H100)
  for (const [slot, node] of [
    ['0000:32:00.0', 'renderD129'],
    ['0000:35:00.0', 'renderD130'],
  ] as const) {
    const vram = { mem_info_vram_total: `${64 * GiB}\n`, [`drm/${node}/dev`]: '226:129\n' }
    const files = { ...vram, 'drm/card2/dev': '226:2\n' }
    await machine.pci(slot, { id: '1002:740c', class: '120000', driver: 'amdgpu', files })
    await machine.files({ [`dev/dri/${node}`]: '' })
  }
  await machine.pci('0000:00:02.0', {
    id: '8086:9a49',
    class: '030000',
    driver: 'i915',
    files: { 'drm/renderD128/dev': '226:128\n' },
  })
  return machine
}

test('GPUs for jobs: NVIDIA’s by their UUID, AMD’s by their render node, Intel’s not at all', async () => {
  await using machine = await mixed()
  assert.deepEqual(await machine.gpus(), [
    { vendor: 'nvidia', id: uuidOf(1), memoryBytes: 80e9 },
    { vendor: 'nvidia', id: uuidOf(2), memoryBytes: 80e9 },
    { vendor: 'amd', id: '/dev/dri/renderD129', memoryBytes: 64 * GiB },
    { vendor: 'amd', id: '/dev/dri/renderD130', memoryBytes: 64 * GiB },
  ])
})

test('GPUs for jobs: their ids are in nothing that others are told', async () => {
  await using machine = await mixed()
  const { gpus } = await machine.detect()
  assert.deepEqual(
    gpus.map(({ vendor, count }) => [vendor, count]),
    [
      ['nvidia', 2],
      ['amd', 2],
      ['intel', 1],
    ],
  )
  assert.doesNotMatch(JSON.stringify(gpus), /GPU-|renderD|"id"/)
})

test('GPUs for jobs: a card that was never used is known by what the tool says', async () => {
  await using machine = await FakeMachine.build({
    [information('0000:18:00.0')]: told('GPU-????????-????-????-????-????????????'),
  })
  await machine.pci('0000:18:00.0', H100)
  assert.deepEqual(await machine.gpus(), [])
  await machine.nvidiaSmi(`echo '00000000:18:00.0, 81559, ${uuidOf(3)}'`)
  assert.deepEqual(await machine.gpus({ smiTimeoutMs: 10_000 }), [
    { vendor: 'nvidia', id: uuidOf(3), memoryBytes: 81559 * MiB },
  ])
})

test('GPUs for jobs: a card that another driver holds for a virtual machine is none', async () => {
  await using machine = await FakeMachine.build({ 'dev/kfd': '' })
  await machine.pci('0000:18:00.0', { ...H100, driver: 'vfio-pci' })
  await machine.pci('0000:32:00.0', { id: '1002:740c', class: '120000', driver: 'vfio-pci' })
  assert.deepEqual(await machine.gpus(), [])
  assert.equal((await machine.detect()).gpus.length, 2)
})

test('GPUs for jobs: an AMD card without the driver’s part for computing is none', async () => {
  await using machine = await FakeMachine.build({ 'dev/dri/renderD128': '' })
  await machine.pci('0000:03:00.0', {
    id: '1002:73bf',
    class: '030000',
    driver: 'amdgpu',
    files: { 'drm/renderD128/dev': '226:128\n' },
  })
  assert.deepEqual(await machine.gpus(), [])
  await machine.files({ 'dev/kfd': '' })
  assert.deepEqual(await machine.gpus(), [{ vendor: 'amd', id: '/dev/dri/renderD128' }])
})
