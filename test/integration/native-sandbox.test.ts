import { describe, test } from 'node:test'
import { NATIVE_KEEPERS } from '../../node/adapters/native/native-sandbox.ts'
import { sandboxKeepsItsPromises } from '../conformance/sandbox.ts'
import { PROGRAMS } from '../support/docker-programs.ts'
import { nativeLeftovers, nativeMissing, openTestNative } from '../support/native-sandboxes.ts'

for (const keeper of NATIVE_KEEPERS) {
  const missing = await nativeMissing(keeper)
  if (missing !== false) {
    test(`native ${keeper} as a sandbox`, { skip: missing }, () => undefined)
    continue
  }
  describe(`native ${keeper}`, { concurrency: false }, () => {
    sandboxKeepsItsPromises(`native ${keeper}`, async () => {
      const native = await openTestNative(keeper)
      return {
        sandbox: native.sandbox,
        programs: PROGRAMS,
        leftovers: () => nativeLeftovers(native),
      }
    })
  })
}
