import { describe, test } from 'node:test'
import {
  dockerMissing,
  leftoversOf,
  openTestSandbox,
  PROGRAMS,
} from '../support/docker-programs.ts'
import { sandboxKeepsItsPromises } from '../conformance/sandbox.ts'

for (const runtime of ['runc', 'runsc']) {
  const missing = await dockerMissing(runtime)
  if (missing !== false) {
    test(`docker ${runtime} as a sandbox`, { skip: missing }, () => undefined)
    continue
  }
  describe(`docker ${runtime}`, { concurrency: false }, () => {
    sandboxKeepsItsPromises(`docker ${runtime}`, async () => {
      const { sandbox, nodeId } = await openTestSandbox(runtime)
      return { sandbox, programs: PROGRAMS, leftovers: () => leftoversOf(nodeId) }
    })
  })
}
