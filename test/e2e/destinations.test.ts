import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { WhyBody } from '../../node/api/schemas/why.ts'
import { buildBusyboxImage } from '../../scripts/images/busybox.ts'
import { dockerMissing } from '../support/docker-programs.ts'
import { ended, stdoutOf, submit } from './support/jobs.ts'
import { Money } from './support/money.ts'
import { patience, SharedNetwork } from './support/shared-network.ts'

/** An address of a private network, given to this machine's loopback interface for the time of the test. */
const ADDRESS = '10.213.77.1'
const OTHER = '10.213.77.2'

const skip = (await dockerMissing()) || addressMissing()

function addressMissing(): string | false {
  try {
    for (const one of [ADDRESS, OTHER]) address('replace', one)
    return false
  } catch {
    return 'skipped: this machine lets no address be given to its loopback interface'
  }
}

function address(change: 'replace' | 'del', one: string): void {
  execFileSync('ip', ['address', change, `${one}/32`, 'dev', 'lo'], { stdio: 'ignore' })
}

const network = new SharedNetwork({
  requesters: 1,
  providers: 1,
  provider: () => ({
    kinds: ['docker'],
    resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
    network: { allow: [`${ADDRESS}:*`], private: true, runtime: 'runc' },
  }),
})
const money = new Money(network)

let visits = 0
const web = createServer((request, answer) => {
  visits++
  answer.end(`for ${request.headers.host ?? ''}\n`)
})
before(async () => {
  web.listen(0, '0.0.0.0')
  await once(web, 'listening')
})
after(() => {
  web.close()
  if (skip === false) for (const one of [ADDRESS, OTHER]) address('del', one)
})

const place = (host: string) => `${host}:${(web.address() as AddressInfo).port}`
const fetching = async (...hosts: readonly string[]) => ({
  kind: 'docker' as const,
  program: await buildBusyboxImage(),
  args: ['sh', '-c', hosts.map((host) => `wget -qO- http://${host}/ || echo refused`).join('; ')],
})

test(
  'a job reaches what it named and its provider lets through, nothing else, and is paid for on chain',
  { skip },
  async () => {
    const client = await network.client('requester-1')
    const job = { ...(await fetching(place(ADDRESS), place(OTHER))), egress: [place(ADDRESS)] }
    const done = await ended(client, await submit(client, job))
    assert.equal(done.state, 'settled', JSON.stringify(done.error))
    assert.equal(await stdoutOf(client, done), `for ${place(ADDRESS)}\nrefused\n`)
    assert.equal(visits, 1)
    await money.settled()
    const paid = (await money.claims()).reduce((sum, each) => sum + each.paid, 0n)
    assert.equal(paid, BigInt(done.paid))
  },
)

test(
  'a job that names what the provider lets nobody reach: no bid, and why says so',
  { skip },
  async () => {
    const client = await network.client('requester-1')
    const job = { ...(await fetching(place(OTHER))), egress: [place(OTHER)] }
    const done = await ended(client, await submit(client, job))
    assert.deepEqual([done.state, done.error?.code], ['failed', 'NO_BIDS'])
    const signal = patience()
    const why = await client.get<WhyBody>(`/v1/jobs/${done.id}/why`, { signal })
    const codes = why.answers.at(-1)?.declines.map(({ code }) => code)
    assert.deepEqual(codes, ['DECLINED_NETWORK'])
  },
)
