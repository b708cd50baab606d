import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { HardwareBody } from '../../../../../node/api/schemas/hardware.ts'
import { hardwareOf } from '../../../../../node/api/views/hardware-view.ts'
import { CPU_FLAGS } from '../../../../../node/adapters/system/hardware/cpu.ts'
import { createHardwareProbe } from '../../../../../node/adapters/system/hardware-probe.ts'
import type { Hardware } from '../../../../../node/domain/advert.ts'
import { MAX_ADVERT_BYTES } from '../../../../../node/protocol/limits.ts'
import { TestMarket } from '../../../../support/test-market.ts'
import { FakeMachine } from './fake-machine.ts'

/** Room that an advert leaves for the kinds of sandbox, characters. */
const SANDBOX_CHARS = 600
const MAX_HARDWARE_CHARS = 4096

const PATHS = [
  'proc/cpuinfo',
  'proc/meminfo',
  'proc/self/status',
  'proc/self/cgroup',
  'proc/driver/nvidia/version',
  'proc/driver/nvidia/gpus/0000:01:00.0/information',
  'sys/devices/system/cpu/online',
  'sys/fs/cgroup/cpu.max',
  'sys/fs/cgroup/memory.max',
  'sys/bus/pci/devices/0000:01:00.0/uevent',
  'sys/bus/pci/devices/0000:01:00.0/vendor',
  'sys/bus/usb/devices/1-1/idVendor',
  'sys/class/net/eth0/speed',
  'sys/class/net/eth0/type',
  'sys/class/net/eth0/device/x',
  'sys/class/fpga_manager/fpga0/name',
  'sys/module/kvm_amd/parameters/sev_snp',
  'sys/firmware/devicetree/base/model',
]

function checkBounded(hardware: Omit<Hardware, 'sandboxes'>): void {
  const text = JSON.stringify({ ...hardware, sandboxes: {} })
  assert.ok(text.length <= MAX_HARDWARE_CHARS - SANDBOX_CHARS, `${text.length} characters`)
  assert.equal(Buffer.byteLength(text), text.length)
  assert.ok(Value.Check(HardwareBody, JSON.parse(text)), text)
  assert.deepEqual(hardwareOf(text), JSON.parse(text))
}

for (const [what, text] of [
  ['empty', ''],
  ['binary', '\0\u0001\u001B[2J\uFFFD\u202E'.repeat(50)],
  ['numbers without end', '9'.repeat(100_000)],
  ['one endless line', `model name : ${'x'.repeat(5_000_000)}`],
  ['negative', '-1\n'],
] as const) {
  test(`kernel files that are ${what}: nothing throws and the advert stays in bounds`, async () => {
    await using machine = await FakeMachine.build(
      Object.fromEntries(PATHS.map((path) => [path, text])),
    )
    const hardware = await machine.detect()
    checkBounded(hardware)
    assert.ok(hardware.cores >= 1 && hardware.cores <= 8192)
    assert.ok(hardware.memoryBytes > 0)
  })
}

test('kernel files that are pipes or folders are absent and not waited for', async () => {
  await using machine = await FakeMachine.build()
  for (const [at, path] of PATHS.entries()) {
    const full = join(machine.root, path)
    await mkdir(at % 2 === 0 ? full : join(full, '..'), { recursive: true })
    if (at % 2 !== 0) execFileSync('/usr/bin/mkfifo', [full])
  }
  const hardware = await machine.detect()
  checkBounded(hardware)
  assert.notEqual(hardware.cpuModel, '')
})

test('a machine with more of everything than an advert has room for: bounded, and the counts add up', async () => {
  await using machine = await FakeMachine.build({
    'proc/cpuinfo': `model name : ${'"\\\u00E9'.repeat(200)}\nflags : sgx ${CPU_FLAGS.join(' ')}\n`,
    'dev/sgx_enclave': '',
    'dev/sev': '',
    'dev/sev-guest': '',
    'dev/tdx_guest': '',
    'sys/module/kvm_amd/parameters/sev_snp': 'Y',
    'sys/module/kvm_intel/parameters/tdx': 'Y',
  })
  const hex = (at: number): string => at.toString(16).padStart(2, '0')
  for (let at = 0; at < 40; at++) {
    const long = {
      product_name: `${at} ${'"n\\'.repeat(500)}`,
      mem_info_vram_total: '9007199254740991',
    }
    const gpu = { id: '1002:740c', class: '120000', driver: 'd'.repeat(32), files: long }
    await machine.pci(`0000:${hex(at)}:00.0`, gpu)
    await machine.pci(`0001:${hex(at)}:00.0`, { id: `10ee:50${hex(at)}`, class: '120000' })
    const net = `sys/class/net/e${at}`
    await machine.files({ [`${net}/device/x`]: '', [`${net}/speed`]: `${9_999_900 + at}` })
  }
  const ids = ['0027', '0056', '005e', '0062', '0063', '006f', '0076']
  for (const [at, id] of ids.entries())
    await machine.pci(`0002:${hex(at)}:00.0`, { id: `1ae0:${id}`, class: 'ff0000' })
  const hardware = await machine.detect()
  checkBounded(hardware)
  const sum = (groups: readonly { readonly count: number }[] = []) =>
    groups.reduce((total, { count }) => total + count, 0)
  assert.equal(sum(hardware.gpus), 40)
  assert.equal(sum(hardware.fpgas), 40)
  assert.equal(sum(hardware.tpus), 7)
  assert.equal(sum(hardware.networkLinks), 40)
  assert.equal(hardware.tees?.length, 6)
  assert.deepEqual(hardware.cpuFlags, CPU_FLAGS)
  const signing = new TestMarket().member().signing
  const { bytes } = signing.seal('Advert', {
    node: signing.address,
    seq: 1,
    network: 'n'.repeat(64),
    kinds: Array.from({ length: 16 }, () => 'k'.repeat(32)),
    hardware: JSON.stringify({ ...hardware, sandboxes: { x: 's'.repeat(SANDBOX_CHARS - 10) } }),
    issuedAt: 1,
    expiresAt: 2,
  })
  assert.ok(bytes.byteLength <= MAX_ADVERT_BYTES)
})

test('a thousand devices of no interest hide neither each other nor the one graphics card', async () => {
  await using machine = await FakeMachine.build()
  const hex = (at: number): string => at.toString(16).padStart(2, '0')
  await Promise.all(
    Array.from({ length: 1000 }, async (_, at) =>
      machine.pci(`0000:${hex(at >> 3)}:00.${at & 7}`, { id: '8086:3450', class: '088000' }),
    ),
  )
  await machine.pci('0001:00:00.0', { id: '8086:56a0', class: '030000' })
  const hardware = await machine.detect()
  checkBounded(hardware)
  assert.equal(hardware.gpus.length, 1)
  assert.deepEqual(hardware.fpgas ?? [], [])
})

test('this machine is what other sources say that it is', async () => {
  const hardware = await createHardwareProbe({ workDir: process.cwd() }).detect()
  checkBounded(hardware)
  assert.ok(hardware.cores >= 1 && hardware.cores <= cpus().length)
  assert.ok(hardware.memoryBytes > 0 && hardware.memoryBytes <= totalmem())
  assert.ok((hardware.memoryAvailableBytes ?? 0) <= hardware.memoryBytes)
  assert.ok(hardware.diskBytes > 0)
  assert.equal(hardware.arch, process.arch)
})
