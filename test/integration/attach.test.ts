import { describe, test } from 'node:test'
import { attachKeepsItsPromises } from '../conformance/attach.ts'
import { shell } from '../support/docker-programs.ts'
import { IMAGE_SANDBOXES } from '../support/image-sandboxes.ts'

for (const { name, missing, open, isGvisor } of IMAGE_SANDBOXES) {
  const reason = await missing()
  const hasNoWay = name === 'native runsc' && 'skipped: there is no way into its running tasks'
  if (reason !== false || hasNoWay !== false) {
    test(`${name}, from inside`, { skip: reason || hasNoWay }, () => undefined)
    continue
  }
  describe(name, { concurrency: false }, () => {
    attachKeepsItsPromises(name, async () => ({
      sandbox: await open(),
      shell,
      connects: !isGvisor,
      ends: !isGvisor,
    }))
  })
}
