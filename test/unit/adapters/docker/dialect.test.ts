import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DOCKER, podman } from '../../../../node/adapters/docker/dialect.ts'
import {
  HOSTS,
  scratchOptions,
  secretOptions,
} from '../../../../node/adapters/confinement/job-bounds.ts'
import { mountSettings } from '../../../../node/adapters/docker/task-mounts.ts'

const mountOf = (target: string) =>
  mountSettings('v', { target, isOutput: true, isSecret: false, files: [] })

test('podman is told the same bounds in its own words', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hive-dialect-'))
  t.after(async () => rm(dir, { recursive: true }))
  const said = await podman(join(dir, 'new'))
  assert.equal(await readFile(said.seccomp, 'utf8'), DOCKER.seccomp)
  const volume = said.inMemory(scratchOptions(8193))
  assert.match(
    volume,
    /noexec,nosuid,nodev,nr_blocks=3,nr_inodes=\d+,uid=65534,gid=65534,mode=0700/,
  )
  assert.doesNotMatch(said.inMemory(secretOptions([])), /size=/)
  assert.equal(said.scratch(scratchOptions(8193)), 'noexec,nosuid,nodev,size=8193,mode=1777')
  for (const limit of DOCKER.ulimits) assert.ok(said.ulimits.includes(limit), limit.Name)
  const [plain, odd] = [mountOf('/out'), mountOf('/a:exec')]
  const ours = { ...plain, ReadOnly: true }
  const { Binds, Mounts } = said.mounted([plain, odd, ours])
  assert.deepEqual(Binds, [
    'v:/out:rw,nocopy,noexec,nosuid,nodev',
    `${join(dir, 'new', 'hosts')}:/etc/hosts:ro,noexec,nosuid,nodev`,
  ])
  assert.deepEqual(
    Mounts,
    [odd, ours],
    'a name is not taken for options, and a program of ours may run',
  )
  assert.equal(await readFile(join(dir, 'new', 'hosts'), 'utf8'), HOSTS)
  assert.deepEqual(said.masks(['/proc/a', '/sys/b']), ['mask=/proc/a:/sys/b'])
  for (const options of Object.values(said.sealed)) assert.match(options, /^ro,/)
})
