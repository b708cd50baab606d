import { after, before, describe, test } from 'node:test'
import { IMAGE_SANDBOXES } from '../../support/image-sandboxes.ts'
import type { Target } from './attack.ts'
import { ARCHIVE_ATTACKS } from './archive-attacks.ts'
import { layBait, type Bait } from './bait.ts'
import { IMAGE_ATTACKS } from './image-attacks.ts'

for (const kind of IMAGE_SANDBOXES) {
  const skip = await kind.missing()
  describe(`out of ${kind.name}`, { skip }, () => {
    let target: Target
    let bait: Bait
    before(async () => {
      bait = await layBait()
      target = { sandbox: await kind.open(), isGvisor: kind.isGvisor }
    })
    after(async () => {
      await target.sandbox[Symbol.asyncDispose]()
      await bait[Symbol.asyncDispose]()
    })
    for (const { name, contained, skip: reason, attempt } of [
      ...IMAGE_ATTACKS,
      ...ARCHIVE_ATTACKS,
    ]) {
      test(`${name}: ${contained}`, async (t) => {
        const why = reason?.(target) ?? false
        if (why === false) await attempt(target, bait)
        else t.skip(why)
      })
    }
  })
}
