import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMachine, type FakePci } from './fake-machine.ts'

async function machineWith(cards: Readonly<Record<string, FakePci>>): Promise<FakeMachine> {
  const machine = await FakeMachine.build()
  for (const [slot, card] of Object.entries(cards)) await machine.pci(slot, card)
  return machine
}

test('fpga: a Xilinx card with two functions is one card, and no graphics processor', async () => {
  await using machine = await machineWith({
    '0000:3b:00.0': { id: '10ee:5000', class: '120000', driver: 'xclmgmt' },
    '0000:3b:00.1': { id: '10ee:5001', class: '120000', driver: 'xocl' },
    '0000:5e:00.0': { id: '10ee:5000', class: '058000' },
  })
  const { fpgas, gpus } = await machine.detect()
  assert.deepEqual(fpgas, [{ model: 'Xilinx 10ee:5000', count: 2 }])
  assert.deepEqual(gpus, [])
})

test('fpga: cards of Altera, Intel and AWS are known; other devices of these makers are not FPGAs', async () => {
  await using machine = await machineWith({
    '0000:01:00.0': { id: '1172:09c4', class: 'ff0000' },
    '0000:02:00.0': { id: '8086:0b30', class: '120000' },
    '0000:03:00.0': { id: '1d0f:f010', class: '058000' },
    '0000:04:00.0': { id: '8086:1533', class: '020000' },
    '0000:05:00.0': { id: '1d0f:8061', class: '010802' },
    '0000:06:00.0': { id: '10ee:3fc5', class: '040100' },
  })
  assert.deepEqual((await machine.detect()).fpgas, [
    { model: 'Altera 1172:09c4', count: 1 },
    { model: 'Intel PAC N3000', count: 1 },
    { model: 'AWS F1', count: 1 },
  ])
})

test('fpga: logic beside the processor counts, that on a card counted there does not count twice', async () => {
  await using machine = await machineWith({ '0000:02:00.0': { id: '8086:0b30', class: '120000' } })
  await machine.files({
    'sys/devices/platform/firmware/fpga_manager/fpga0/name': 'Xilinx ZynqMP FPGA Manager\n',
    'sys/devices/pci0000:00/0000:02:00.0/fpga_manager/fpga1/name': 'DFL FME FPGA Manager\n',
  })
  const devices = '../../devices'
  await machine.link(
    'sys/class/fpga_manager/fpga0',
    `${devices}/platform/firmware/fpga_manager/fpga0`,
  )
  await machine.link(
    'sys/class/fpga_manager/fpga1',
    `${devices}/pci0000:00/0000:02:00.0/fpga_manager/fpga1`,
  )
  assert.deepEqual((await machine.detect()).fpgas, [
    { model: 'Intel PAC N3000', count: 1 },
    { model: 'Xilinx ZynqMP FPGA Manager', count: 1 },
  ])
})

test('tpu: four v5e chips are counted, Google’s network card is no TPU', async () => {
  const chip = { id: '1ae0:0063', class: 'ff0000', driver: 'vfio-pci' }
  await using machine = await machineWith({
    '0000:00:04.0': chip,
    '0000:00:05.0': chip,
    '0000:00:06.0': chip,
    '0000:00:07.0': chip,
    '0000:00:08.0': { id: '1ae0:0042', class: '020000', driver: 'gve' },
  })
  assert.deepEqual((await machine.detect()).tpus, [{ model: 'Cloud TPU v5e', count: 4 }])
})

test('tpu: Coral is found on the bus and on USB, before and after its firmware', async () => {
  await using machine = await machineWith({
    '0000:01:00.0': { id: '1ac1:089a', class: '0880ff', driver: 'apex' },
  })
  const usb = 'sys/bus/usb/devices'
  await machine.files({
    [`${usb}/2-1/idVendor`]: '1a6e\n',
    [`${usb}/2-1/idProduct`]: '089a\n',
    [`${usb}/2-1:1.0/bInterfaceClass`]: 'ff\n',
    [`${usb}/4-2/idVendor`]: '18d1\n',
    [`${usb}/4-2/idProduct`]: '9302\n',
    [`${usb}/1-1/idVendor`]: '18d1\n',
    [`${usb}/1-1/idProduct`]: '4ee7\n',
    [`${usb}/usb1/idVendor`]: '1d6b\n',
  })
  assert.deepEqual((await machine.detect()).tpus, [
    { model: 'Coral Edge TPU (USB)', count: 2 },
    { model: 'Coral Edge TPU (PCIe)', count: 1 },
  ])
})

const flags = (text: string) => ({ 'proc/cpuinfo': `processor : 0\nflags : fpu ${text}\n` })

for (const [what, files, tees] of [
  ['SGX needs the flag and the node', { ...flags('sgx'), 'dev/sgx_enclave': '' }, ['sgx']],
  ['SGX that the firmware left off is none', flags('sgx'), []],
  ['an SGX node without the flag is none', { ...flags('sse2'), 'dev/sgx_enclave': '' }, []],
  [
    'a SEV-SNP host',
    { 'dev/sev': '', 'sys/module/kvm_amd/parameters/sev_snp': 'Y\n' },
    ['sev-host', 'sev-snp-host'],
  ],
  [
    'a SEV host without SNP',
    { 'dev/sev': '', 'sys/module/kvm_amd/parameters/sev_snp': 'N\n' },
    ['sev-host'],
  ],
  ['a SEV-SNP guest', { 'dev/sev-guest': '' }, ['sev-snp-guest']],
  ['a TDX host', { 'sys/module/kvm_intel/parameters/tdx': 'Y\n' }, ['tdx-host']],
  ['a TDX guest by its node', { 'dev/tdx_guest': '' }, ['tdx-guest']],
  ['a TDX guest by its flag', flags('tdx_guest hypervisor'), ['tdx-guest']],
  ['a processor that could, on a kernel that does not', flags('sev sev_es sev_snp'), []],
] as const) {
  test(`tee: ${what}`, async () => {
    await using machine = await FakeMachine.build(files)
    assert.deepEqual((await machine.detect()).tees, tees)
  })
}
