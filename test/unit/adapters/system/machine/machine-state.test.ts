import assert from 'node:assert/strict'
import { mkdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMachineState } from '../../../../../node/adapters/system/machine-state.ts'
import { minute, second } from '../../../../../node/domain/units.ts'
import { machineStateKeepsItsPromises } from '../../../../conformance/machine-state.ts'
import { FakeMachineState } from '../../../../support/fake-machine-state.ts'
import { ManualClock } from '../../../../support/manual-clock.ts'
import { FakeMachine } from '../hardware/fake-machine.ts'

const SUPPLY = 'sys/class/power_supply'
const USB = 'sys/bus/usb/devices'
const KEYBOARD = {
  [`${USB}/1-2:1.0/bInterfaceClass`]: '03\n',
  [`${USB}/1-2:1.0/bInterfaceProtocol`]: '01\n',
  [`${USB}/1-2/urbnum`]: '10\n',
}

/** A laptop with one keyboard on USB. */
async function laptop() {
  const clock = new ManualClock(Date.now())
  const fake = await FakeMachine.build({
    [`${SUPPLY}/AC/type`]: 'Mains\n',
    [`${SUPPLY}/AC/online`]: '1\n',
    [`${SUPPLY}/BAT0/type`]: 'Battery\n',
    [`${SUPPLY}/BAT0/status`]: 'Full\n',
    ...KEYBOARD,
  })
  let keys = 10
  const power = async (online: string, status: string) =>
    fake.files({ [`${SUPPLY}/AC/online`]: online, [`${SUPPLY}/BAT0/status`]: status })
  return {
    fake,
    clock,
    machine: createMachineState({ clock }, { root: fake.root }),
    pass: async (ms: number) => clock.advance(ms),
    unplug: async () => power('0\n', 'Discharging\n'),
    plugIn: async () => power('1\n', 'Charging\n'),
    use: async () => fake.files({ [`${USB}/1-2/urbnum`]: `${(keys += 3)}\n` }),
    [Symbol.asyncDispose]: async () => fake[Symbol.asyncDispose](),
  }
}

machineStateKeepsItsPromises('kernel files', laptop)

machineStateKeepsItsPromises('fake', async () => {
  const clock = new ManualClock(Date.now())
  const machine = new FakeMachineState(clock)
  return {
    machine,
    pass: async (ms) => clock.advance(ms),
    unplug: async () => machine.unplug(),
    plugIn: async () => machine.plugIn(),
    use: async () => machine.use(),
    [Symbol.asyncDispose]: async () => {},
  }
})

async function onBattery(files: Readonly<Record<string, string>>): Promise<boolean> {
  const named = Object.entries(files).map(([path, text]) => [`${SUPPLY}/${path}`, `${text}\n`])
  await using fake = await FakeMachine.build(Object.fromEntries(named))
  const machine = createMachineState({ clock: new ManualClock() }, { root: fake.root })
  return (await machine.read()).onBattery
}

test('power: a machine without supplies, or with mains alone, is not on battery', async () => {
  assert.equal(await onBattery({}), false)
  assert.equal(await onBattery({ 'AC/type': 'Mains', 'AC/online': '0' }), false)
})

test('power: a charger over USB-C counts as mains', async () => {
  const battery = { 'BAT0/type': 'Battery', 'BAT0/status': 'Discharging' }
  const ports = { 'c0/type': 'USB', 'c0/online': '0', 'c1/type': 'USB', 'c1/online': '2' }
  assert.equal(await onBattery({ ...battery, ...ports }), false)
  assert.equal(await onBattery({ ...battery, ...ports, 'c1/online': '0' }), true)
})

test('power: the battery of a mouse, or one that is not there, is none of the machine’s', async () => {
  const battery = { 'b/type': 'Battery', 'b/status': 'Discharging' }
  assert.equal(await onBattery(battery), true)
  assert.equal(await onBattery({ ...battery, 'b/scope': 'Device' }), false)
  assert.equal(await onBattery({ ...battery, 'b/present': '0' }), false)
})

test('power: firmware that never says discharging, and a UPS that does', async () => {
  const battery = { 'b/type': 'Battery', 'b/status': 'Unknown' }
  assert.equal(await onBattery(battery), false)
  assert.equal(await onBattery({ ...battery, 'AC/type': 'Mains', 'AC/online': '0' }), true)
  const mains = { 'AC/type': 'Mains', 'AC/online': '1' }
  assert.equal(await onBattery({ ...mains, 'u/type': 'UPS', 'u/status': 'Discharging' }), true)
})

test('use: input of a terminal is seen by when it came; one that tells the future is used now', async () => {
  await using on = await laptop()
  await on.fake.files({ 'dev/pts/0': '', 'dev/tty2': '', 'dev/pts/ptmx': '', 'dev/ttyS0': '' })
  const touch = async (path: string, agoMs: number) => {
    const at = (on.clock.now() - agoMs) / 1000
    await utimes(join(on.fake.root, path), at, at)
  }
  await touch('dev/pts/0', 20 * minute)
  await touch('dev/tty2', 7 * minute)
  await touch('dev/pts/ptmx', 0)
  await touch('dev/ttyS0', 0)
  const idle = async () => Math.round(((await on.machine.read()).idleMs ?? NaN) / second)
  assert.equal(await idle(), 7 * 60)
  await touch('dev/pts/0', -minute)
  await on.pass(5 * second)
  assert.equal(await idle(), 0)
  await rm(join(on.fake.root, 'dev/pts/0'))
  await on.pass(10 * minute)
  assert.equal(await idle(), 10 * 60)
})

test('use: a terminal that is closed does not take back that it was used', async () => {
  await using on = await laptop()
  await on.fake.files({ 'dev/pts/0': '' })
  const at = (on.clock.now() - minute) / 1000
  await utimes(join(on.fake.root, 'dev/pts/0'), at, at)
  await on.machine.read()
  await rm(join(on.fake.root, 'dev/pts/0'))
  await on.pass(minute)
  assert.equal(Math.round(((await on.machine.read()).idleMs ?? NaN) / second), 120)
})

test('use: the keyboard of a laptop by its interrupts; a disk by no count of its own', async () => {
  await using on = await laptop()
  const table = (keys: number, disk: number) => ({
    'proc/interrupts':
      '            CPU0       CPU1\n' +
      `   1:          0     ${keys}  IR-IO-APIC    1-edge      i8042\n` +
      ` 125:          0     ${disk}  IR-PCI-MSI  32768-edge      nvme0q1\n`,
  })
  await on.fake.files(table(100, 1))
  await on.machine.read()
  await on.fake.files({ ...table(100, 999), [`${USB}/1-9/urbnum`]: '5\n' })
  await on.pass(5 * second)
  assert.equal((await on.machine.read()).idleMs, undefined)
  await on.fake.files(table(101, 999))
  await on.pass(5 * second)
  assert.equal((await on.machine.read()).idleMs, 0)
})

test('machine state: folders where files should be do not throw', async () => {
  await using fake = await FakeMachine.build()
  for (const path of ['proc/interrupts', `${SUPPLY}/AC/type`, `${USB}/1-1:1.0/bInterfaceClass`])
    await mkdir(join(fake.root, path), { recursive: true })
  const machine = createMachineState({ clock: new ManualClock() }, { root: fake.root })
  assert.deepEqual(await machine.read(), { onBattery: false, idleMs: undefined })
})
