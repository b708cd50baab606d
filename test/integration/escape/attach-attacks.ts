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
      // no descriptor of the engine's or of this process's
      assert.doesNotMatch(stdout, /-> \/(?!dev\/(?:null|pts)|proc\/|lib|bin)\S/)
      assert.notEqual((await inside.sh('test -e /x || test -e /etc/x')).code, 0)
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
