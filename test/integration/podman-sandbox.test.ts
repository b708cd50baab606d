import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { sandboxKeepsItsPromises } from '../conformance/sandbox.ts'
import { PROGRAMS } from '../support/docker-programs.ts'
import { podmanMissing, startPodman, type Podman } from '../support/podman.ts'
import { quietLogger } from '../support/quiet-logger.ts'

const skip = podmanMissing()

describe('podman', { skip, concurrency: false }, () => {
  let podman: Podman
  let opened = 0
  const open = async (more: { readonly runtime?: string } = {}) => {
    const nodeId = `podman-${process.pid}-${++opened}`
    const { socketPath } = podman
    const options = { nodeId, socketPath, ...more }
    return { nodeId, sandbox: await openDockerSandbox({ logger: quietLogger() }, options) }
  }
  before(async () => {
    podman = await startPodman()
  })
  after(async () => podman[Symbol.asyncDispose]())

  test('only the runtime that its configuration says is used and advertised: it gives no other, whatever is asked', async () => {
    const { sandbox } = await open()
    assert.equal(sandbox?.isolation, 'docker runc')
    await sandbox[Symbol.asyncDispose]()
    assert.equal((await open({ runtime: 'runsc' })).sandbox, undefined)
  })

  sandboxKeepsItsPromises('podman', async () => {
    const { sandbox, nodeId } = await open()
    if (sandbox === undefined) throw new Error('podman runs no container')
    return { sandbox, programs: PROGRAMS, leftovers: () => podman.leftoversOf(nodeId) }
  })
})
