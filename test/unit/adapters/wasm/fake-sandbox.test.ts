import { sandboxKeepsItsPromises } from '../../../conformance/sandbox.ts'
import { createFakeSandbox } from '../../../support/fake-sandbox.ts'
import { FAKE_PROGRAMS } from '../../../support/fake-script.ts'

sandboxKeepsItsPromises('the fake', async () => ({
  sandbox: createFakeSandbox(),
  programs: FAKE_PROGRAMS,
  leftovers: async () => [],
}))
