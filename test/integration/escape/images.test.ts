import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { parsePattern } from '../../../node/domain/egress.ts'
import { IMAGE_SANDBOXES, PODMAN, type ImageSandbox } from '../../support/image-sandboxes.ts'
import type { Attack, Target } from './attack.ts'
import { ARCHIVE_ATTACKS } from './archive-attacks.ts'
import { ATTACH_ATTACKS } from './attach-attacks.ts'
import { layBait, type Bait } from './bait.ts'
import { EGRESS_ATTACKS } from './egress-attacks.ts'
import { IMAGE_ATTACKS } from './image-attacks.ts'

for (const kind of [...IMAGE_SANDBOXES, PODMAN]) {
  const missing = await kind.missing()
  attacked(
    `out of ${kind.name}`,
    missing,
    [...IMAGE_ATTACKS, ...ARCHIVE_ATTACKS, ...ATTACH_ATTACKS].map((attack) => ({
      ...attack,
      skip: (target) => kind.untried?.[attack.name] ?? attack.skip?.(target) ?? false,
    })),
    async () => ({
      sandbox: await kind.open(),
      isGvisor: kind.isGvisor,
    }),
  )
  const { openConnected, isGvisor } = kind
  if (openConnected === undefined) continue
  const attacks = [...EGRESS_ATTACKS, ...IMAGE_ATTACKS]
  attacked(`out of ${kind.name} with a destination`, missing, attacks, () =>
    connected(openConnected, isGvisor),
  )
}

/** Makes each attack a test on the sandbox that `open` gives. */
function attacked(
  name: string,
  skip: string | false,
  attacks: readonly Attack[],
  open: () => Promise<Target>,
): void {
  describe(name, { skip }, () => {
    let target: Target
    let bait: Bait
    before(async () => {
      bait = await layBait()
      target = await open()
    })
    after(async () => {
      await target.sandbox[Symbol.asyncDispose]()
      await bait[Symbol.asyncDispose]()
    })
    for (const { name: attack, contained, skip: reason, attempt } of attacks) {
      test(`${attack}: ${contained}`, async (t) => {
        const isWalled = target.egress !== undefined && target.sandbox.hasEgress !== true
        const why = isWalled
          ? `skipped: programs under ${target.sandbox.isolation} cannot reach a proxy here`
          : (reason?.(target) ?? false)
        if (why === false) await attempt(target, bait)
        else t.skip(why)
      })
    }
  })
}

/** A sandbox whose tasks may reach one server of this machine, where even private addresses are open to them. */
async function connected(
  open: NonNullable<ImageSandbox['openConnected']>,
  isGvisor: boolean,
): Promise<Target> {
  const server = createServer((_request, answer) => answer.end('allowed\n'))
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const allow = [parsePattern('*')].filter((one) => one !== undefined)
  const { sandbox } = await open({
    policy: { allow, private: true },
    lookup: async (host) => (host === 'site.example' ? ['127.0.0.1'] : []),
  })
  return { sandbox, isGvisor, egress: [`site.example:${port}`] }
}
