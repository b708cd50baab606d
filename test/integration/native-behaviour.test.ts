import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MiB } from '../../node/domain/units.ts'
import { openTaskGroups } from '../../node/adapters/native/task-groups.ts'
import {
  NATIVE_DEFAULTS,
  NATIVE_KEEPERS,
  openNativeSandbox,
} from '../../node/adapters/native/native-sandbox.ts'
import { runProgram, textFile, textOf } from '../conformance/sandbox.ts'
import { shell } from '../support/docker-programs.ts'
import { nativeLeftovers, nativeMissing, openTestNative } from '../support/native-sandboxes.ts'
import { quietLogger, type LoggedLine } from '../support/quiet-logger.ts'

const VICTIM = fileURLToPath(new URL('../support/native-victim-process.ts', import.meta.url))
/** How long the kernel may take to end what a killed node started, ms. */
const GONE_WITHIN_MS = 5000

test('where no control group can be made there is no native sandbox, and the log says why', async () => {
  const lines: LoggedLine[] = []
  const options = { nodeId: 'x', workDir: '/nonexistent', cgroupRoot: '/proc/none' }
  assert.equal(await openNativeSandbox({ logger: quietLogger(lines) }, options), undefined)
  assert.equal(lines.length, 1)
  assert.match(String(lines[0]?.data['fault']), /control group|root/)
})

for (const keeper of NATIVE_KEEPERS) {
  const skip = await nativeMissing(keeper)
  describe(`jobs held by ${keeper}`, { skip }, () => {
    test('the words of its environment are on nobody’s command line', { skip }, async () => {
      const { sandbox } = await openTestNative(keeper)
      const during = runProgram(sandbox, shell('usleep 500000; echo $KEY'), [], {
        env: { KEY: 'sesame-open' },
      })
      for (let looks = 0; looks < 20; looks++) {
        for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
          const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
          assert.ok(!words.includes('sesame-open'), words)
        }
      }
      assert.equal(textOf((await during).stdout), 'sesame-open\n')
      await sandbox[Symbol.asyncDispose]()
    })

    test('a full /tmp is a disk-limit, by its bytes and by its files', { skip }, async () => {
      await using opened = (await openTestNative(keeper)).sandbox
      const limits = { diskBytes: 1 * MiB, memoryBytes: 128 * MiB }
      const run = async (line: string) => runProgram(opened, shell(line), [], { limits })
      const filled = await run('dd if=/dev/zero of=/tmp/a bs=64k count=64')
      assert.equal(filled.reason, 'disk-limit', filled.detail)
      const littered = await run('i=0; while : > /tmp/$i; do i=$((i+1)); done; exit 1')
      assert.equal(littered.reason, 'disk-limit', littered.detail)
      // one that did not mind has done its work
      const content = await run('dd if=/dev/zero of=/tmp/a bs=64k count=64; echo done')
      assert.equal(content.reason, 'exit')
    })

    test('output can be opened again by name, and nothing of ours is open', { skip }, async () => {
      const { sandbox } = await openTestNative(keeper)
      const command =
        'echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin; for f in /proc/self/fd/*; do echo ${f##*/}; done'
      const result = await runProgram(sandbox, shell(command), [], { stdin: Buffer.from('in\n') })
      const [out, given, ...open] = textOf(result.stdout).trim().split('\n')
      assert.deepEqual([out, given, textOf(result.stderr)], ['out', 'in', 'err\n'])
      // the shell’s own look at the folder is open while it looks
      assert.ok(open.filter((fd) => Number(fd) > 2 && Number(fd) < 9).length <= 1, open.join())
      await sandbox[Symbol.asyncDispose]()
    })

    test(
      'folders nested in one another and in the image are laid out in order',
      { skip },
      async () => {
        const { sandbox } = await openTestNative(keeper)
        const { stdout, files } = await runProgram(
          sandbox,
          shell('cat /bin/deep/a /tmp/out/given; echo more >> /tmp/out/given; ls /bin | head -1'),
          [],
          {
            outputs: '/tmp/out',
            files: [textFile('/bin/deep/a', 'a\n'), textFile('/tmp/out/given', 'given\n')],
          },
        )
        // a folder with inputs hides what the image has there, its shell’s helpers included
        assert.equal(textOf(stdout), '')
        assert.deepEqual(files, [])
        const nested = await runProgram(
          sandbox,
          shell(
            'cat /data/in/a /data/out/given; echo more >> /data/out/given; echo x > /data/in/b',
          ),
          [],
          {
            outputs: '/data/out',
            files: [textFile('/data/in/a', 'a\n'), textFile('/data/out/given', 'given\n')],
          },
        )
        assert.equal(textOf(nested.stdout), 'a\ngiven\n')
        assert.match(textOf(nested.stderr), /Read-only|Permission denied/)
        assert.deepEqual(
          nested.files.map((file) => [file.path, textOf(file.bytes)]),
          [['/data/out/given', 'given\nmore\n']],
        )
        await sandbox[Symbol.asyncDispose]()
      },
    )

    test(
      'when the node is killed its jobs go with it, and its groups when it opens again',
      { skip },
      async () => {
        const nodeId = `victim-${process.pid}-${keeper}`
        const victim = spawn(process.execPath, [VICTIM, keeper, nodeId], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const [said] = (await once(victim.stdout, 'data')) as [Buffer]
        const workDir = said.toString().trim()
        const alive = async () =>
          (await nativeLeftovers({ workDir })).filter((one) => one !== workDir)
        assert.ok((await alive()).length > 0)
        victim.kill('SIGKILL')
        await once(victim, 'exit')
        const deadline = performance.now() + GONE_WITHIN_MS
        while ((await alive()).length > 0 && performance.now() < deadline)
          await new Promise(setImmediate)
        assert.deepEqual(await alive(), [])
        const { sandbox } = await openTestNative(keeper, { nodeId })
        await sandbox[Symbol.asyncDispose]()
        const made = await openTaskGroups(nodeId, NATIVE_DEFAULTS.cgroupRoot)
        assert.ok('groups' in made)
        const group = await made.groups.open(
          'any',
          { cpuMillis: 1000, memoryBytes: 1e7, diskBytes: 0, wallMs: 0, outputBytes: 0 },
          8,
        )
        const siblings = await readdir(dirname(dirname(group.joins[0] ?? '')), {
          withFileTypes: true,
        })
        assert.equal(siblings.filter((one) => one.isDirectory()).length, 1)
        await group[Symbol.asyncDispose]()
        await made.groups.sweep()
        await rm(workDir, { recursive: true, force: true })
      },
    )
  })
}
