import { leftTasksAreTakenUp } from '../../../conformance/left-tasks.ts'
import { sandboxKeepsItsPromises } from '../../../conformance/sandbox.ts'
import { createFakeSandbox, FakeMachine } from '../../../support/fake-sandbox.ts'
import { FAKE_PROGRAMS } from '../../../support/fake-script.ts'

sandboxKeepsItsPromises('the fake', async () => ({
  sandbox: createFakeSandbox(),
  programs: FAKE_PROGRAMS,
  leftovers: async () => [],
}))

leftTasksAreTakenUp('the fake', async () => {
  const machine = new FakeMachine()
  return {
    programs: FAKE_PROGRAMS,
    leave: async (task) => {
      const printed = Promise.withResolvers<void>()
      const { signal } = new AbortController()
      const running = createFakeSandbox('wasm', machine).run(task, {
        signal,
        onOutput: () => {
          printed.resolve()
        },
      })
      await Promise.race([printed.promise, running])
      machine.crash()
      await running.catch(() => undefined) // it is gone, as after a kill
      return createFakeSandbox('wasm', machine)
    },
    leftovers: async () => [...machine.running.keys()],
  }
})
