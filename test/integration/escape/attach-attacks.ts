import assert from 'node:assert/strict'
import { runInside } from '../../conformance/attach.ts'
import { shell } from '../../support/docker-programs.ts'
import type { Attack } from './attack.ts'

/** Only where there is a way in. */
const skip: NonNullable<Attack['skip']> = ({ sandbox }) =>
  sandbox.attach === undefined && 'skipped: there is no way into its running tasks'

/** What somebody tries who was let into a running task. */
export const ATTACH_ATTACKS: readonly Attack[] = [
  {
    name: 'a program run inside a task becomes root, or gets capabilities',
    contained: 'it is the task’s own user, with nothing to gain',
    skip,
    attempt: async ({ sandbox, isGvisor }, bait) => {
      await using inside = await runInside({ sandbox, shell }, '')
      const { stdout } = await inside.sh(
        'id -u; id -g; grep -E "Cap|NoNewPrivs|Seccomp:" /proc/self/status; su -c id; chroot / id; mount -t tmpfs x /tmp; id -u',
      )
      assert.deepEqual(stdout.match(/^\d+$/gm), ['65534', '65534', '65534'])
      for (const [, held] of stdout.matchAll(/^Cap\w+:\s*(\w+)$/gm))
        assert.match(held ?? '', /^0+$/)
      if (!isGvisor) assert.match(stdout, /NoNewPrivs:\s1\nSeccomp:\s2/)
      assert.doesNotMatch(stdout, /uid=0/)
      assert.ok(bait.isAlive())
    },
  },
  {
    name: 'a program run inside a task looks for the machine',
    contained: 'it finds what its task finds, and can write no more',
    skip,
    attempt: async ({ sandbox }, bait) => {
      await using inside = await runInside({ sandbox, shell }, '')
      const { stdout } = await inside.sh(
        'ls /proc/1/root/ /var/run/docker.sock 2>/dev/null; grep -rl . /root /home 2>/dev/null; echo x >/x; echo x >/etc/x; ls -l /proc/self/fd; for one in /proc/[0-9]*; do cat $one/environ; done 2>/dev/null',
      )
      assert.ok(!stdout.includes(bait.token), 'the bait came back')
      assert.doesNotMatch(stdout, /docker\.sock/)
      // no descriptor of the engine's or of this process's; its own output may be a pipe that had a name
      assert.doesNotMatch(
        stdout,
        /-> \/(?!dev\/(?:null|pts)|proc\/|lib|bin|mnt\/entries\/\d+ \(deleted\))\S/,
      )
      assert.notEqual((await inside.sh('test -e /x || test -e /etc/x')).code, 0)
    },
  },
  {
    name: 'a program run inside a task has other walls than its task',
    contained: 'its namespaces, groups, users, limits and descriptors are those of the task',
    skip: (target) =>
      skip(target) ||
      (target.isGvisor && 'skipped: what its kernel tells of itself is not what holds it'),
    attempt: async ({ sandbox }) => {
      const tell = [
        'for one in /proc/self/ns/*; do readlink $one; done; cat /proc/self/uid_map /proc/self/cgroup /proc/self/limits',
        'cat /proc/self/mountinfo | grep -c .; cat /proc/self/oom_score_adj; umask; pwd; hostname',
      ].join(';')
      await using inside = await runInside(
        { sandbox, shell },
        `(${tell}) >/tmp/walls; &&upexec sleep 600`,
      )
      const said = await inside.sh(
        `(${tell}) >/tmp/own; diff /tmp/walls /tmp/own && ls /proc/self/fd`,
      )
      // the last one is the folder that is listed
      assert.deepEqual(said, { stdout: '0\n1\n2\n3\n', stderr: '', code: 0 })
    },
  },
  {
    name: 'a task looks into what is sent into it before that is behind its walls',
    contained: 'it sees a name and a state, and nothing of the machine',
    skip,
    attempt: async ({ sandbox }, bait) => {
      const look = [
        'cat $one/mountinfo >/tmp/other && test -s /tmp/other && ! cmp -s /tmp/mounts /tmp/other && cat /tmp/other',
        `cat $one/environ | grep -E "${bait.token}|^LC_ALL|SSH"`,
        'ls -l $one/fd/ | grep -E "-> /(etc|home|root|usr|var|proc/[0-9]+/ns)"',
      ].join(';')
      const others = '/proc/[2-9] /proc/[1-9][0-9]*'
      const line = `cat /proc/self/mountinfo >/tmp/mounts; (while :; do for one in ${others}; do ${look}; done; done) >/tmp/seen 2>/dev/null & &&upexec sleep 600`
      await using inside = await runInside({ sandbox, shell }, line)
      for (let at = 0; at < 20; at++) assert.equal((await inside.sh('exit 3')).code, 3)
      assert.equal((await inside.sh('head -c 2000 /tmp/seen')).stdout, '')
      assert.ok(bait.isAlive())
    },
  },
  {
    name: 'a connection into a task is asked for at ports of the machine',
    contained: 'nothing listens there inside, so it is refused',
    skip,
    attempt: async ({ sandbox }, bait) => {
      await using inside = await runInside({ sandbox, shell }, '')
      const { signal } = new AbortController()
      for (const port of [22, 80, 2375, bait.port]) {
        await assert.rejects(inside.attach.connect(inside.id, port, { signal }), ({ code }) =>
          ['FORWARD_REFUSED', 'ATTACH_UNSUPPORTED'].includes(code),
        )
      }
      assert.equal(bait.visits(), 0)
    },
  },
]
