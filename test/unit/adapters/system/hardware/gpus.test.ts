import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { FakeMachine } from './fake-machine.ts'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const H100 = { id: '10de:2330', class: '030200', driver: 'nvidia' }
const VERSION =
  'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n'
const slotOf = (card: number): string => `0000:${(0x18 + card).toString(16)}:00.0`
const information = (slot: string): string => `proc/driver/nvidia/gpus/${slot}/information`

async function eightH100(): Promise<FakeMachine> {
  const machine = await FakeMachine.build({ 'proc/driver/nvidia/version': VERSION })
  for (let card = 0; card < 8; card++) {
    await machine.pci(slotOf(card), H100)
    await machine.files({
      [information(slotOf(card))]: 'Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 45\n',
    })
  }
  // What such a server has besides: a switch between the cards, and a console chip.
  await machine.pci('0000:05:00.0', { id: '10de:22a3', class: '068000', driver: 'nvidia-nvswitch' })
  await machine.pci('0000:02:00.0', { id: '1a03:2000', class: '030000', driver: 'ast' })
  return machine
}

test('gpu: eight H100 are one line with their number; the console chip and the switch are none', async () => {
  await using machine = await eightH100()
  assert.deepEqual((await machine.detect()).gpus, [
    {
      vendor: 'nvidia',
      model: 'NVIDIA H100 80GB HBM3',
      memoryBytes: 80e9,
      driver: 'nvidia 550.54.15',
      count: 8,
    },
  ])
})

test('gpu: the tool of NVIDIA tells the memory to the byte, card by card', async () => {
  await using machine = await eightH100()
  const lines = Array.from({ length: 7 }, (_, card) => `0000${slotOf(card)}, 81559`)
  await machine.nvidiaSmi(
    `test "$1" = --query-gpu=pci.bus_id,memory.total,uuid && printf '%s\\n' ${lines.map((line) => `'${line.toUpperCase()}'`).join(' ')} '${slotOf(7)}, [N/A]'`,
  )
  const { gpus } = await machine.detect({ smiTimeoutMs: 10_000 })
  assert.deepEqual(
    gpus.map(({ memoryBytes, count }) => [memoryBytes, count]),
    [
      [81559 * MIB, 7],
      [80e9, 1],
    ],
  )
})

for (const [name, script] of [
  ['fails', 'exit 9'],
  ['never ends', 'exec sleep 60'],
  ['floods', 'exec cat /dev/zero'],
  ['leaves a child that holds its output', 'sleep 6 & sleep 6'],
  ['talks nonsense', "printf '00000000:18:00.0, 99999999999\\n00000000:18:00.0, -1\\n\\0, 5\\n'"],
] as const) {
  test(`gpu: a tool that ${name} costs the exact figure and nothing else`, async () => {
    await using machine = await eightH100()
    await machine.nvidiaSmi(script)
    const start = performance.now()
    const { gpus } = await machine.detect({ smiTimeoutMs: 300 })
    assert.ok(performance.now() - start < 5000)
    assert.deepEqual(
      gpus.map(({ memoryBytes, count }) => [memoryBytes, count]),
      [[80e9, 8]],
    )
  })
}

test('gpu: the tool is not asked where there is no card of its maker', async () => {
  await using machine = await FakeMachine.build()
  await machine.pci('0000:00:02.0', { id: '8086:9a49', class: '030000', driver: 'i915' })
  await machine.nvidiaSmi(`touch ${machine.root}/asked`)
  await machine.detect({ smiTimeoutMs: 10_000 })
  assert.equal(existsSync(`${machine.root}/asked`), false)
})

test('gpu: in a container only the cards that its driver lists count', async () => {
  await using machine = await FakeMachine.build()
  for (const slot of [slotOf(0), slotOf(1)]) await machine.pci(slot, H100)
  await machine.files({ [information(slotOf(1))]: 'Model: NVIDIA H100 PCIe\n' })
  const { gpus } = await machine.detect()
  assert.deepEqual(gpus, [
    { vendor: 'nvidia', model: 'NVIDIA H100 PCIe', driver: 'nvidia', count: 1 },
  ])
})

test('gpu: a card counts by what its driver says where the bus is hidden, and not without a model', async () => {
  await using machine = await FakeMachine.build({
    [information('0000:01:00.0')]: 'Model: \t\t NVIDIA Test 9000\nIRQ: 7\n',
    [information('0000:02:00.0')]: 'unreadable',
  })
  const { gpus } = await machine.detect()
  assert.deepEqual(gpus, [
    { vendor: 'nvidia', model: 'NVIDIA Test 9000', driver: 'nvidia', count: 1 },
  ])
})

test('gpu: an Instinct MI250 is a graphics processor, though its class is that of accelerators', async () => {
  await using machine = await FakeMachine.build({ 'sys/module/amdgpu/version': '6.3.6\n' })
  for (const slot of ['0000:32:00.0', '0000:35:00.0'])
    await machine.pci(slot, {
      id: '1002:740c',
      class: '120000',
      driver: 'amdgpu',
      files: {
        mem_info_vram_total: `${64 * GIB}\n`,
        product_name: 'AMD INSTINCT MI250 (MCM) OAM AC MBA\n',
      },
    })
  const { gpus, fpgas } = await machine.detect()
  assert.deepEqual(gpus, [
    {
      vendor: 'amd',
      model: 'AMD INSTINCT MI250 (MCM) OAM AC MBA',
      memoryBytes: 64 * GIB,
      driver: 'amdgpu 6.3.6',
      count: 2,
    },
  ])
  assert.deepEqual(fpgas, [])
})

test('gpu: parts of a card for virtual machines are not further cards', async () => {
  await using machine = await FakeMachine.build()
  const card = { id: '1002:74a1', class: '120000', driver: 'amdgpu' }
  await machine.pci('0000:05:00.0', card)
  await machine.pci('0000:05:02.0', card)
  await machine.link('sys/bus/pci/devices/0000:05:02.0/physfn', '../0000:05:00.0')
  assert.deepEqual(
    (await machine.detect()).gpus.map(({ count }) => count),
    [1],
  )
})

test('gpu: a laptop has built-in graphics without memory of its own, named from the table of ids', async () => {
  await using machine = await FakeMachine.build({
    'usr/share/misc/pci.ids': [
      '# comment',
      '1002  Advanced Micro Devices, Inc. [AMD/ATI]',
      '\t9a49  Not this one',
      '8086  Intel Corporation',
      '\t9a40  TigerLake-LP GT2',
      '\t9a49  TigerLake-LP GT2 [Iris Xe Graphics]',
      '\t\t1028 0a3e  A subsystem',
      '8087  Another',
    ].join('\n'),
  })
  await machine.pci('0000:00:02.0', { id: '8086:9a49', class: '030000', driver: 'i915' })
  assert.deepEqual((await machine.detect()).gpus, [
    {
      vendor: 'intel',
      model: 'TigerLake-LP GT2 [Iris Xe Graphics]',
      driver: 'i915',
      count: 1,
    },
  ])
})

test('gpu: an Intel card with memory of its own tells it beside its display', async () => {
  await using machine = await FakeMachine.build()
  await machine.pci('0000:03:00.0', {
    id: '8086:56c0',
    class: '038000',
    driver: 'i915',
    files: { 'drm/card1/lmem_total_bytes': `${16 * GIB}\n`, 'drm/renderD128/dev': '226:128\n' },
  })
  assert.deepEqual((await machine.detect()).gpus, [
    { vendor: 'intel', model: '8086:56c0', memoryBytes: 16 * GIB, driver: 'i915', count: 1 },
  ])
})
