import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ISOLATIONS, runnerCommand } from '../../node/adapters/wasm/runner-command.ts'
import { isolationMissing } from '../support/wasm-sandboxes.ts'

/** What somebody who broke out of V8 would find, from inside the runner's own walls. */
const PROBE = `
const attempt = async (act) => { try { return String(await act()) } catch (error) { return error.code ?? error.name } }
const fs = require('node:fs')
const seen = {
  passwd: await attempt(() => fs.readFileSync('/etc/passwd', 'utf8').length),
  home: await attempt(() => fs.readdirSync('/root').length),
  proc: await attempt(() => fs.readFileSync('/proc/self/environ', 'utf8').length),
  write: await attempt(() => fs.writeFileSync(require('node:path').join(process.argv[1] ?? '/', 'x'), 'x')),
  spawn: await attempt(() => require('node:child_process').execFileSync('/node', ['-v'])),
  uid: process.getuid(),
  env: Object.keys(process.env).filter((name) => !name.startsWith('NODE_CHANNEL')),
  interfaces: Object.keys(require('node:os').networkInterfaces()).filter((name) => name !== 'lo'),
  pids: process.pid,
}
process.stdout.write(JSON.stringify(seen))`

for (const isolation of ISOLATIONS) {
  const missing = await isolationMissing(isolation)
  test(
    `${isolation}: from inside there are no files to read or write and nothing to start`,
    {
      skip: missing,
    },
    async () => {
      const { command, args } = runnerCommand(isolation, 1)
      // The same walls, with the probe in place of the runner's script and its number of threads.
      const walls = args.slice(0, -2)
      const channel = walls.indexOf('NODE_CHANNEL_FD')
      if (channel !== -1) walls.splice(channel - 1, 3)
      const probe = `(async () => {${PROBE}})()`
      const { stdout } = await promisify(execFile)(command, [...walls, '-e', probe, '/'], {
        env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      })
      const seen = JSON.parse(stdout) as Record<string, unknown>
      for (const what of ['passwd', 'home', 'proc', 'write', 'spawn'])
        assert.match(String(seen[what]), /^(ERR_ACCESS_DENIED|ENOENT|EROFS|EACCES)$/, what)
      if (isolation !== 'bubblewrap') return
      assert.equal(seen['uid'], 65_534)
      assert.deepEqual(seen['env'], ['PWD'])
      assert.deepEqual(seen['interfaces'], [])
    },
  )
}
