import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { JOB_UID } from '../../node/adapters/confinement/job-bounds.ts'
import {
  ISOLATIONS,
  runnerCommands,
  type Isolation,
  type RunnerCommand,
} from '../../node/adapters/wasm/runner-command.ts'
import { launch } from '../../node/adapters/wasm/runner-process.ts'
import { answersOf, callProgram, otherMachine, type Call } from '../support/call-program.ts'
import { descendants } from '../support/child-processes.ts'
import { isolationMissing, openTestWasm } from '../support/wasm-sandboxes.ts'

/** What somebody who broke out of V8 would find, from inside the runner's own walls. */
const PROBE = `(async () => {
const attempt = async (act) => { try { return String(await act()) } catch (error) { return error.code ?? error.name } }
const fs = require('node:fs')
const dial = (address) => new Promise((resolve, reject) => require('node:net').connect(address).once('connect', () => resolve('connected')).once('error', reject))
const seen = {
  passwd: await attempt(() => fs.readFileSync('/etc/passwd', 'utf8').length),
  home: await attempt(() => fs.readdirSync('/root').length),
  proc: await attempt(() => fs.readFileSync('/proc/self/environ', 'utf8').length),
  write: await attempt(() => fs.writeFileSync(require('node:path').join(process.argv[1] ?? '/', 'x'), 'x')),
  spawn: await attempt(() => require('node:child_process').execFileSync('/node', ['-v'])),
  uid: process.getuid(),
  env: Object.keys(process.env),
  tcp: await attempt(() => dial({ host: '127.0.0.1', port: 1 })),
  unix: await attempt(() => dial({ path: '/app/socket' })),
  interfaces: await attempt(() => Object.keys(require('node:os').networkInterfaces())),
}
process.send(seen, () => process.disconnect())
})()`

/** errno values of Linux. */
const EPERM = 1
/** What a process made by clone(2) ends with, and a flag of it. Source: linux/sched.h. */
const SIGCHLD = 17
const NEW_USER = 0x10000000

/** x86-64 numbers of what leads out of a jail or into rarely tested parts of the kernel, with harmless arguments. */
const DANGEROUS: Readonly<Record<string, Call>> = {
  io_uring_setup: [425, 1, new Uint8Array(120)],
  'a socket of Unix': [41, 1, 1, 0],
  'a socket of IPv4': [41, 2, 1, 0],
  'a socket of netlink': [41, 16, 3, 0],
  'a socket of the kernel’s ciphers': [41, 38, 5, 0],
  socketpair: [53, 1, 1, 0, new Uint8Array(8)],
  connect: [42, 0, new Uint8Array(16), 16],
  bind: [49, 0, new Uint8Array(16), 16],
  'a user namespace by unshare': [272, NEW_USER],
  'a user namespace by clone': [56, NEW_USER | SIGCHLD, 0],
  'a process by clone': [56, SIGCHLD, 0],
  'a process by fork': [57],
  'a process by vfork': [58],
  ptrace: [101, 0, 0, 0],
  process_vm_readv: [310, 1, 0, 0, 0, 0],
  mount: [165, 0, 0, 0, 0],
  pivot_root: [155, 0, 0],
  chroot: [161, new Uint8Array([47, 0])],
  setns: [308, 0, 0],
  add_key: [248, 0, 0, 0, 0, 0],
  keyctl: [250, 0, -3, 0],
  bpf: [321, 0, 0, 0],
  userfaultfd: [323, 0],
  perf_event_open: [298, 0, 0, 0, 0],
  init_module: [175, 0, 0, 0],
  finit_module: [313, 0, 0, 0],
  kexec_load: [246, 0, 0, 0, 0],
  'shared memory': [29, 0, 4096, 0o1600],
}

/** The same walls around something else than the runner's script and its number of threads. */
function around(isolation: Isolation, change: (walls: readonly string[]) => readonly string[]) {
  return runnerCommands(isolation, 1).map((command): RunnerCommand => ({
    ...command,
    args: change(command.args.slice(0, -2)),
  }))
}

for (const isolation of ISOLATIONS) {
  const missing = await isolationMissing(isolation)
  test(
    `${isolation}: from inside there are no files to read or write and nothing to start`,
    {
      skip: missing,
    },
    async () => {
      const [command] = around(isolation, (walls) => [...walls, '-e', PROBE, '/'])
      assert.ok(command)
      const child = launch(command)
      const [seen] = (await once(child, 'message')) as [Record<string, unknown>]
      await once(child, 'exit')
      for (const what of ['passwd', 'home', 'proc', 'write', 'spawn'])
        assert.match(String(seen[what]), /^(ERR_ACCESS_DENIED|ENOENT|EROFS|EACCES)$/, what)
      if (isolation !== 'bubblewrap') return
      assert.equal(seen['uid'], 65_534)
      assert.deepEqual(seen['env'], ['PWD'])
      assert.deepEqual([seen['tcp'], seen['unix']], ['EPERM', 'EPERM'])
      assert.equal(seen['interfaces'], 'ERR_SYSTEM_ERROR')
    },
  )
}

const skip = await isolationMissing('bubblewrap')

test(
  'bubblewrap: the kernel refuses what leads out of the jail',
  { skip: skip || otherMachine },
  async () => {
    // others must be able to read it
    const dir = await mkdtemp(join(tmpdir(), 'hive-walls-'))
    await chmod(dir, 0o755)
    const program = join(dir, 'calls')
    const stderr = 2
    await writeFile(program, callProgram(Object.values(DANGEROUS), stderr), { mode: 0o755 })
    try {
      for (const command of around('bubblewrap', (walls) =>
        walls.map((word) => (word === process.execPath ? program : word)),
      )) {
        const child = launch(command)
        assert.ok(child.stderr)
        const answers = answersOf(await buffer(child.stderr))
        const refused = Object.keys(DANGEROUS).map((name, at) => [name, answers[at]])
        assert.deepEqual(
          refused,
          Object.keys(DANGEROUS).map((name) => [name, -EPERM]),
          command.command,
        )
      }
    } finally {
      await rm(dir, { recursive: true })
    }
  },
)

test(
  'bubblewrap: seen from outside, a runner is filtered, and gains no rights',
  { skip },
  async () => {
    await using _ = await openTestWasm({ isolations: ['bubblewrap'] })
    const status = await aboutRunner('status')
    assert.match(status, /^Seccomp:\s+2$/m)
    assert.match(status, /^NoNewPrivs:\s+1$/m)
    assert.match(status, /^CapEff:\s+0+$/m)
    assert.match(status, /^CapBnd:\s+0+$/m)
  },
)

test(
  'bubblewrap: under a node of root, a runner is nobody outside of its namespaces too',
  { skip: skip || (await nobodyMissing()) },
  async () => {
    await using _ = await openTestWasm({ isolations: ['bubblewrap'] })
    assert.match(await aboutRunner('status'), /^Uid:(\s+65534){4}$/m)
    assert.match(await aboutRunner('status'), /^Gid:(\s+65534){4}$/m)
    assert.match(await aboutRunner('status'), /^Groups:\s*$/m)
  },
)

/** Why a runner here cannot be of another user, or `false`. */
async function nobodyMissing(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'skipped: this user cannot become another'
  const nobody = `--reuid ${JOB_UID} --regid ${JOB_UID} --clear-groups`.split(' ')
  try {
    for (const file of [process.execPath, fileURLToPath(import.meta.url)])
      await promisify(execFile)('setpriv', [...nobody, 'test', '-r', file])
    return false
  } catch {
    return 'skipped: Node or this project lies where only its owner may read'
  }
}

/** A file of /proc about the runner of this process, as the host sees it. */
async function aboutRunner(file: string): Promise<string> {
  const [runner] = (await descendants('')).filter(({ command }) => command.startsWith('/node '))
  assert.ok(runner)
  return await readFile(`/proc/${runner.pid}/${file}`, 'utf8')
}
