import assert from 'node:assert/strict'
import { hostname, tmpdir } from 'node:os'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MiB } from '../../../node/domain/units.ts'
import { answersOf, callImage, otherMachine, type Call } from '../../support/call-program.ts'
import { shell } from '../../support/docker-programs.ts'
import { attempt, type Attack } from './attack.ts'
import { OUTPUT_ATTACKS } from './output-attacks.ts'

/** A kernel's own number of files in a folder that is as full as ours get. */
const MAX_INODES = 10_000
/** How far a clock may be from ours after a job tried to set it, ms. */
const CLOCK_SLACK_MS = 5000

/** errno by which a refused system call is known: not permitted, no such thing here. */
const REFUSED = [-1, -13, -22, -38, -93, -94, -97]

const [AF_UNIX, AF_INET, AF_NETLINK, AF_PACKET, AF_VSOCK] = [1, 2, 16, 17, 40]
const [STREAM, DATAGRAM, RAW] = [1, 2, 3]
/** x86-64 numbers. */
const CALL = {
  socket: 41,
  connect: 42,
  sendto: 44,
  clone: 56,
  ptrace: 101,
  mount: 165,
  keyctl: 250,
  unshare: 272,
  setns: 308,
  clockSettime: 227,
  processVmReadv: 310,
  bpf: 321,
  ioUringSetup: 425,
  ioUringRegister: 427,
} as const
const NEW_USER = 0x10000000
const NEW_MOUNT = 0x20000
const PTRACE_ATTACH = 16

/** The calls, each of which must be refused; not asked of gVisor, whose own kernel answers them. */
function refused(name: string, calls: readonly Call[]): Attack {
  return {
    name,
    contained: 'refused by the system call filter',
    skip: ({ isGvisor }) =>
      otherMachine || (isGvisor && 'skipped: gVisor answers from a kernel of its own'),
    attempt: async (target, bait) => {
      const { stdout } = await attempt(target, bait, { image: callImage(calls), args: [] })
      const answers = answersOf(stdout)
      assert.equal(answers.length, calls.length)
      for (const [at, answer] of answers.entries()) {
        assert.ok(REFUSED.includes(answer), `call ${calls[at]?.[0]} returned ${answer}`)
      }
    },
  }
}

function internetAddress(port: number): Uint8Array {
  return Buffer.of(AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1, ...new Uint8Array(8))
}

/** What a job in an image tries, with its expected containment. */
export const IMAGE_ATTACKS: readonly Attack[] = [
  {
    name: 'climbing out of its root folder',
    contained: 'every way up ends at its own root',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          'for up in /../../../.. /proc/self/root /proc/1/root /proc/self/cwd/../../.. /out/../.. /proc/1/cwd/../../..; do cat "$up$1"; ls "$up"; done',
        ),
        {},
        [bait.file],
      )
      assert.doesNotMatch(said, /^root$/m)
    },
  },
  {
    name: 'a chain of links in the outputs folder',
    contained: 'links are not followed when outputs are collected',
    attempt: async (target, bait) => {
      const command =
        'cd /out; ln -s / root; ln -s .. up; ln -s up/.. up2; ln -s "$1" file; ln -s "${1%/*}" folder; cat up2/..$1 root$1; ln "$1" hard; mkdir sub; ln -s ../../../../../../..$1 sub/deep; echo mine > sub/mine'
      const { files } = await attempt(target, bait, shell(command), {}, [bait.file])
      assert.deepEqual(
        files.map((file) => file.path),
        ['/out/sub/mine'],
      )
    },
  },
  {
    name: 'reading processes of the host in /proc',
    contained: 'only its own processes are there, and they know no folder of the host',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; ls -d /proc/[0-9]* | wc -l; kill -9 -1',
        ),
      )
      assert.ok(!said.includes('node'))
      assert.ok(!said.includes(join(tmpdir(), 'hive-')))
    },
  },
  {
    name: 'reading the host’s environment and metadata',
    contained: 'no name, machine id, devices or settings of the host',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          'env; uname -n; cat /etc/machine-id /etc/hostname /etc/hosts /proc/cmdline /proc/keys /sys/class/dmi/id/* /proc/kcore | head -c 100000; ls /home /root /boot /var',
        ),
      )
      assert.ok(!said.split(/\s+/).includes(hostname()))
      const command = readFileSync('/proc/cmdline', 'utf8').trim()
      assert.ok(command.length < 20 || !said.includes(command))
    },
  },
  {
    name: 'writing the kernel’s settings',
    contained: 'read-only, or not there',
    attempt: async (target, bait) => {
      const path = '/proc/sys/kernel/core_pattern'
      const before = readFileSync(path, 'utf8')
      const { said } = await attempt(
        target,
        bait,
        shell(
          'for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/fs/cgroup/release_agent /sys/fs/cgroup/memory/release_agent /proc/self/oom_score_adj; do (echo "|/out/x" > $f) 2>/dev/null && echo "wrote $f"; done; mkdir /sys/fs/cgroup/x && echo "made a group"',
        ),
      )
      assert.equal(said, '')
      assert.equal(readFileSync(path, 'utf8'), before)
    },
  },
  {
    name: 'reaching a server on the host’s loopback, as the node’s API is one',
    contained: 'its loopback is its own',
    attempt: async (target, bait) => {
      await attempt(
        target,
        bait,
        shell(
          'for host in 127.0.0.1 0.0.0.0 localhost ::1; do echo hi | /bin/busybox nc -w 1 $host $1; done; /bin/busybox wget -T 1 -q -O - http://127.0.0.1:$1/',
        ),
        {},
        [String(bait.port)],
      )
    },
  },
  {
    name: 'asking a name server, and the clouds’ metadata address',
    contained: 'no route, no name server',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          '(/bin/busybox nslookup example.com 127.0.0.1; /bin/busybox nc -w 1 169.254.169.254 80 && echo came-through; /bin/busybox nc -w 1 8.8.8.8 53 && echo came-through) 2>&1',
        ),
        { limits: { wallMs: 8000 } },
      )
      assert.doesNotMatch(said, /came-through/)
    },
  },
  {
    name: 'connecting to sockets of the host, by path and by abstract name, and to the Docker engine’s',
    contained: 'none of them is in its namespaces',
    skip: () => otherMachine,
    attempt: async (target, bait) => {
      const paths = [
        bait.socketPath,
        '/var/run/docker.sock',
        '/run/docker.sock',
        `\0${bait.abstractName}`,
      ]
      const unix = paths.flatMap((path, at): Call[] => {
        const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(path)])
        return [
          [CALL.socket, AF_UNIX, STREAM, 0],
          [CALL.connect, { resultOf: at * 2 }, address, address.length],
        ]
      })
      const tcp = internetAddress(bait.port)
      const udp = internetAddress(bait.udpPort)
      const calls: readonly Call[] = [
        ...unix,
        [CALL.socket, AF_INET, STREAM, 0],
        [CALL.connect, { resultOf: unix.length }, tcp, tcp.length],
        [CALL.socket, AF_INET, DATAGRAM, 0],
        [CALL.sendto, { resultOf: unix.length + 2 }, udp, 1, 0, udp, udp.length],
      ]
      const { stdout } = await attempt(target, bait, { image: callImage(calls), args: [] })
      const answers = answersOf(stdout)
      assert.equal(answers.length, calls.length)
      // every second one connects, but for the last: a datagram to nobody counts as sent
      const connected = answers.slice(0, -1).filter((answer, at) => at % 2 === 1 && answer >= 0)
      assert.deepEqual(connected, [])
    },
  },
  refused('sockets that no network namespace confines, and raw ones', [
    [CALL.socket, AF_INET, RAW, 255],
    [CALL.socket, AF_PACKET, RAW, 0x300],
    [CALL.socket, AF_NETLINK, RAW, 0],
    [CALL.socket, AF_VSOCK, STREAM, 0],
  ]),
  refused('io_uring', [
    [CALL.ioUringSetup, 8, Buffer.alloc(120)],
    [CALL.ioUringRegister, 0, 0, 0, 0],
  ]),
  refused('namespaces of its own, with the rights inside them', [
    [CALL.unshare, NEW_USER],
    [CALL.unshare, NEW_USER | NEW_MOUNT],
    [CALL.clone, NEW_USER | 17, 0, 0, 0],
    [CALL.setns, 0, 0],
    [CALL.mount, Buffer.from('proc\0'), Buffer.from('/tmp\0'), Buffer.from('proc\0'), 0, 0],
  ]),
  refused('tracing and reading other processes', [
    [CALL.ptrace, PTRACE_ATTACH, 1, 0, 0],
    [CALL.processVmReadv, 1, 0, 0, 0, 0, 0],
  ]),
  refused('setting the clock, keys, programs for the kernel', [
    [CALL.clockSettime, 0, Buffer.alloc(16)],
    [CALL.keyctl, 0, -3, 1],
    [CALL.bpf, 5, Buffer.alloc(120), 120],
  ]),
  {
    name: 'setting the host’s clock',
    contained: 'it may read the time only',
    attempt: async (target, bait) => {
      const offset = Date.now() - performance.now()
      await attempt(target, bait, shell('/bin/busybox date -s 2001-01-01; /bin/busybox hwclock -w'))
      assert.ok(Math.abs(Date.now() - performance.now() - offset) < CLOCK_SLACK_MS)
    },
  },
  {
    name: 'a fork bomb',
    contained: 'stopped at its number of processes, gone at its deadline',
    attempt: async (target, bait) => {
      const bomb = await attempt(target, bait, shell('f() { f | f & f; }; f'), {
        limits: { wallMs: 1000 },
      })
      assert.ok(['timeout', 'exit', 'oom'].includes(bomb.reason), bomb.reason)
      const { said } = await attempt(target, bait, shell('echo alive'))
      assert.equal(said, 'alive\n')
    },
  },
  {
    name: 'a memory bomb',
    contained: 'oom at its limit',
    attempt: async (target, bait) => {
      const limits = { memoryBytes: 64 * MiB }
      const { reason, usage } = await attempt(target, bait, shell('exec tail /dev/zero'), {
        limits,
      })
      assert.equal(reason, 'oom')
      assert.ok(usage.peakMemoryBytes < 66 * MiB)
    },
  },
  {
    name: 'filling disk through every folder it may write',
    contained: 'each folder has a size, and nothing else can be written',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          'for d in / /bin /dev /dev/shm /etc /in /mnt /out /proc /run /sys /tmp /var /var/tmp; do dd if=/dev/zero of=$d/fill bs=64k count=200 2>/dev/null; stat -c "%n %s" $d/fill 2>/dev/null; rm -f $d/fill; done',
        ),
        { limits: { diskBytes: 2 * MiB } },
      )
      const sizes = said
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
      assert.deepEqual(
        sizes.map(([path]) => path),
        ['/out/fill', '/tmp/fill'],
      )
      for (const [path, size] of sizes) assert.ok(Number(size) <= 2 * MiB, path)
    },
  },
  {
    name: 'filling the table of files',
    contained: 'each folder has a number of files',
    skip: ({ sandbox }) =>
      sandbox.isolation === 'docker runsc' &&
      'skipped: the engine’s gVisor keeps this folder in the job’s own memory, which bounds it',
    attempt: async (target, bait) => {
      const { said } = await attempt(
        target,
        bait,
        shell(
          `i=0; while [ $i -lt ${MAX_INODES + 100} ] && : > /tmp/$i; do i=$((i+1)); done 2>/dev/null; echo $i; cd /tmp && ls | wc -l`,
        ),
        { limits: { memoryBytes: 128 * MiB } },
      )
      const count = Number(said.trim().split('\n').at(-1) ?? Number.NaN)
      assert.ok(count < MAX_INODES, said)
    },
  },
  ...OUTPUT_ATTACKS,
  {
    name: 'ignoring every signal, in the background as well',
    contained: 'ended at its deadline with all it started',
    attempt: async (target, bait) => {
      const command =
        "trap '' TERM INT HUP QUIT USR1; (trap '' TERM HUP; while :; do :; done) & (setsid sh -c 'sleep 100' &) ; while :; do :; done"
      const { reason } = await attempt(target, bait, shell(command), { limits: { wallMs: 500 } })
      assert.equal(reason, 'timeout')
    },
  },
  {
    name: 'burning more processor than it has',
    contained: 'held to its share of a core',
    attempt: async (target, bait) => {
      const { reason, usage } = await attempt(
        target,
        bait,
        shell('for i in 1 2 3 4; do (while :; do :; done) & done; wait'),
        { limits: { wallMs: 1500, cpuMillis: 200 } },
      )
      assert.equal(reason, 'timeout')
      // a start is counted too, and a period may be overrun
      assert.ok(usage.cpuMs < usage.wallMs * 0.2 + 300, `${usage.cpuMs} of ${usage.wallMs} ms`)
    },
  },
]
