import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MiB } from '../../node/domain/units.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, textOf } from '../conformance/sandbox.ts'
import { answersOf, callImage, otherMachine } from '../support/call-program.ts'
import { shell } from '../support/docker-programs.ts'
import { IMAGE_SANDBOXES, PODMAN } from '../support/image-sandboxes.ts'

/** errno values of Linux. */
const EPERM = 1
const ENOSYS = 38

/** x86-64 numbers of calls that lead out of a sandbox or into rarely tested parts of the kernel. */
const DANGEROUS: Readonly<Record<string, number>> = {
  ptrace: 101,
  chroot: 161,
  sync: 162,
  mount: 165,
  swapon: 167,
  reboot: 169,
  init_module: 175,
  keyctl: 250,
  add_key: 248,
  unshare: 272,
  perf_event_open: 298,
  fanotify_init: 300,
  open_by_handle_at: 304,
  setns: 308,
  process_vm_readv: 310,
  bpf: 321,
  userfaultfd: 323,
  io_uring_setup: 425,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  clone3: 435,
}

/** x86-64 number of socket(2), and families that are not confined by a network namespace or need not be there. */
const SOCKET = 41
const FAMILIES = { netlink: 16, packet: 17, alg: 38, vsock: 40 }

for (const { name, isGvisor, open, ownWords = [], ...rest } of [...IMAGE_SANDBOXES, PODMAN]) {
  const missing = await rest.missing()
  if (missing !== false) {
    test(`what a ${name} job can reach`, { skip: missing }, () => undefined)
    continue
  }
  describe(`what a ${name} job can reach`, () => {
    let sandbox: Sandbox
    before(async () => {
      sandbox = await open()
    })
    after(async () => {
      await sandbox[Symbol.asyncDispose]()
    })
    const say = async (command: string, limits: Parameters<typeof runProgram>[3] = {}) =>
      await runProgram(sandbox, shell(command), [], limits)

    test('it is nobody, without a capability and without a way to gain one', async () => {
      const { stdout } = await say('id -u; id -g; cat /proc/self/status')
      const text = textOf(stdout)
      assert.match(text, /^65534\n65534\n/)
      assert.match(text, /^CapEff:\s+0+$/m)
      assert.match(text, /^CapPrm:\s+0+$/m)
      assert.match(text, /^CapBnd:\s+0+$/m)
      if (isGvisor) return // its own kernel does not print the two lines below
      assert.match(text, /^NoNewPrivs:\s+1$/m)
      assert.match(text, /^Seccomp:\s+2$/m)
    })

    test('nothing of the image can be written, not even by its name’s detours', async () => {
      const { stdout } = await say(
        'for f in /x /bin/x /etc/hosts /etc/resolv.conf /proc/self/root/x /dev/x /sys/x /in; do ' +
          '(echo x > $f) 2>/dev/null && echo "wrote $f"; done; (echo x >> /bin/busybox) 2>/dev/null && echo grew',
      )
      assert.equal(textOf(stdout), '')
    })

    test('scratch space is sized, and nothing runs from it', async () => {
      const { stdout } = await say(
        'dd if=/dev/zero of=/tmp/a bs=64k count=64 2>/dev/null; stat -c %s /tmp/a; ' +
          'cp /bin/busybox /tmp/b 2>/dev/null; rm /tmp/a; cp /bin/busybox /out/busybox; /out/busybox true || echo refused',
        { limits: { diskBytes: 3 * MiB } },
      )
      const [size, verdict] = textOf(stdout).trim().split('\n')
      assert.equal(Number(size), 3 * MiB)
      assert.equal(verdict, 'refused')
    })

    test('a full outputs folder is a disk-limit', async () => {
      const result = await say('dd if=/dev/zero of=/out/a bs=64k count=64', {
        limits: { diskBytes: 1 * MiB },
      })
      assert.equal(result.reason, 'disk-limit')
    })

    test('there is no network but the loopback, and no trace of the host’s name servers', async () => {
      const { stdout } = await say(
        'ls /sys/class/net 2>/dev/null || sed -n "3,\\$s/:.*//p" /proc/net/dev; grep nameserver /etc/resolv.conf | grep -v 127.0.0.1',
      )
      assert.match(textOf(stdout), /^\s*lo\n$/)
    })

    test('nothing of the host’s name, its environment or its devices is to be seen', async () => {
      const { stdout } = await say(
        'uname -n; env | sort; ls /dev | grep -E "^(sd|vd|nvme|kvm|mem|kmsg|loop)"; ls /sys/class/dmi/id 2>/dev/null',
        { env: { ONLY: 'this' } },
      )
      const lines = textOf(stdout).trim().split('\n')
      assert.deepEqual(
        lines.filter((line) => !/^(SHLVL|PWD)=/.test(line) && !ownWords.includes(line)),
        ['task', 'HOME=/', 'HOSTNAME=task', 'ONLY=this', 'PATH=/bin'],
      )
    })

    test('a fork bomb stays in its box and ends with its time', async () => {
      const result = await say('f() { f | f & f; }; f', { limits: { wallMs: 1500 } })
      assert.ok(['timeout', 'exit', 'oom'].includes(result.reason), result.reason)
      const next = await say('echo alive')
      assert.equal(textOf(next.stdout), 'alive\n')
    })

    test('a job that ignores signals is ended all the same', async () => {
      const result = await say("trap '' TERM INT HUP QUIT; while :; do :; done", {
        limits: { wallMs: 300 },
      })
      assert.equal(result.reason, 'timeout')
    })

    test('a child killed for memory does not hide how the job itself ended', async () => {
      const result = await say('tail /dev/zero; exit 3', { limits: { memoryBytes: 64 * MiB } })
      // gVisor has one memory for the whole sandbox, so there the job goes down with its child
      if (!isGvisor) assert.deepEqual([result.reason, result.exitCode], ['exit', 3])
      else assert.equal(result.reason, 'oom')
    })

    test('a program that is not there is start-failed and says so', async () => {
      const program = { ...shell(''), args: ['/bin/no-such-program'] }
      const result = await runProgram(sandbox, program, [])
      assert.equal(result.reason, 'start-failed')
      assert.match(result.detail, /no-such-program/)
    })

    // gVisor answers these from a kernel of its own: whatever it says, the host is not asked
    const otherKernel = isGvisor ? 'skipped: gVisor does not pass calls on' : false

    test('dangerous system calls are refused', { skip: otherMachine || otherKernel }, async () => {
      const names = Object.keys(DANGEROUS)
      const image = callImage(Object.values(DANGEROUS).map((number) => [number, 0, 0, 0, 0]))
      const { stdout } = await runProgram(sandbox, { image, args: [] }, [])
      const answers = names.map((name, at) => [name, answersOf(stdout)[at]])
      const refused = names.map((name) => [name, name === 'clone3' ? -ENOSYS : -EPERM])
      assert.deepEqual(Object.fromEntries(answers), Object.fromEntries(refused))
    })

    test('a shell cannot make itself a namespace', { skip: otherKernel }, async () => {
      for (const kind of ['-U', '-m', '-n', '-p']) {
        const { exitCode } = await say(`unshare ${kind} true`)
        assert.notEqual(exitCode, 0, kind)
      }
    })

    test(
      'sockets that no network namespace confines are refused',
      { skip: otherMachine },
      async () => {
        const families = Object.values(FAMILIES)
        const image = callImage(families.map((family) => [SOCKET, family, 0, 0]))
        const { stdout } = await runProgram(sandbox, { image, args: [] }, [])
        const answers = answersOf(stdout)
        assert.equal(answers.length, families.length)
        for (const [at, name] of Object.keys(FAMILIES).entries())
          assert.ok((answers[at] ?? 0) < 0, name)
      },
    )
  })
}
