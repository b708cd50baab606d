import { test } from 'node:test'
import { sandboxKeepsToDestinations } from '../conformance/sandbox-egress.ts'
import { shell } from '../support/docker-programs.ts'
import { IMAGE_SANDBOXES } from '../support/image-sandboxes.ts'

for (const kind of IMAGE_SANDBOXES) {
  const { openConnected } = kind
  if (openConnected === undefined) continue
  const missing = await kind.missing()
  if (missing === false) {
    sandboxKeepsToDestinations(kind.name, async (egress) => ({
      ...(await openConnected(egress)),
      shell,
    }))
  } else {
    test(`${kind.name} with destinations`, { skip: missing }, () => undefined)
  }
}
