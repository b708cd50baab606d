import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'
import { NATIVE_KEEPERS } from '../../node/adapters/native/native-sandbox.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { runProgram, textFile, textOf } from '../conformance/sandbox.ts'
import { dockerMissing, engine, openTestSandbox, shell } from '../support/docker-programs.ts'
import { filesWith } from '../support/found-in.ts'
import { nativeMissing, openTestNative } from '../support/native-sandboxes.ts'
import { openTestPodman, podmanMissing } from '../support/podman.ts'

/** Says that it runs, waits for a moment, and shows what it was given. */
const SHOWS = shell('echo up; usleep 1500000; cat /run/secrets/key /in/a.txt; echo; echo $TOKEN')

/** Runs a task with secrets, and `look`s around while it runs. */
async function during(
  sandbox: Sandbox,
  look: (given: { plain: string; file: string; variable: string }) => Promise<void>,
): Promise<void> {
  const [plain, file, variable] = [randomUUID(), randomUUID(), randomUUID()]
  const looking = Promise.withResolvers<void>()
  let isUp = false
  const ended = runProgram(sandbox, SHOWS, [], {
    files: [textFile('/in/a.txt', plain)],
    secrets: { env: { TOKEN: variable }, files: [textFile('/run/secrets/key', file)] },
    onOutput: () => {
      if (!isUp) looking.resolve(look({ plain, file, variable }))
      isUp = true
    },
  })
  const result = await ended
  assert.equal(textOf(result.stdout), `up\n${file}${plain}\n${variable}\n`, result.detail)
  await looking.promise
}

for (const keeper of NATIVE_KEEPERS) {
  const skip = await nativeMissing(keeper)
  test(
    `native ${keeper}: an input lies on the disk while its task runs, a secret does not`,
    {
      skip,
    },
    async () => {
      const { sandbox, workDir } = await openTestNative(keeper)
      await during(sandbox, async ({ plain, file, variable }) => {
        assert.equal((await filesWith([plain], workDir)).length, 1)
        assert.deepEqual(await filesWith([file], workDir), [])
        assert.deepEqual(await filesWith([variable], workDir), [])
      })
      await sandbox[Symbol.asyncDispose]()
    },
  )
}

/** Engines that answer to one API: how to open a sandbox on each, and the folders where it keeps what it is given. */
const ENGINES = [
  ...['runc', 'runsc'].map((runtime) => ({
    name: `docker ${runtime}`,
    missing: () => dockerMissing(runtime),
    open: async () => {
      const { DockerRootDir: root } = (await engine.info()) as { DockerRootDir: string }
      const disk = [join(root, 'containers'), join(root, 'volumes')]
      return { ...(await openTestSandbox(runtime)), asked: engine, disk }
    },
  })),
  {
    name: 'podman',
    missing: async () => podmanMissing(),
    open: async () => {
      const { podman, ...opened } = await openTestPodman()
      return { ...opened, asked: podman.engine, disk: [podman.folder] }
    },
  },
]

for (const { name, missing, open } of ENGINES) {
  const skip = await missing()
  test(
    `${name}: no disk, log or answer of the engine holds a secret, be it a file or a variable`,
    {
      skip,
    },
    async () => {
      const { sandbox, nodeId, asked, disk } = await open()
      // an engine of the test's own would outlive a failure
      await using _ = sandbox
      await during(sandbox, async ({ plain, file, variable }) => {
        assert.equal((await filesWith([plain], ...disk)).length, 1)
        assert.deepEqual(await filesWith([file], ...disk), [])
        assert.deepEqual(await filesWith([variable], ...disk), [])
        const filters = { label: [`${LABELS.node}=${nodeId}`] }
        const containers = await asked.listContainers({ all: true, filters })
        const told = JSON.stringify(
          await Promise.all([
            ...containers.map(({ Id }) => asked.getContainer(Id).inspect()),
            asked.listVolumes({ filters }),
          ]),
        )
        assert.equal(told.includes(file), false)
        assert.equal(told.includes(variable), false)
      })
    },
  )
}
