import assert from 'node:assert/strict'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import type { JobBody } from '../../node/api/schemas/jobs.ts'
import type { ExecBody, ForwardBody } from '../../node/api/schemas/attach.ts'
import type { NodeClient } from '../../node/cli/node-client.ts'
import { readApiFile } from '../../node/api/api-file.ts'
import { codeOf } from '../../node/domain/errors.ts'
import { parseAmount } from '../../node/domain/money.ts'
import { MiB } from '../../node/domain/units.ts'
import { decodeExecOutput, encodeExecInput } from '../../node/protocol/attach.ts'
import { buildBusyboxImage } from '../../scripts/images/busybox.ts'
import { dockerMissing } from '../support/docker-programs.ts'
import { Hive } from './support/hive.ts'
import { allResults, ended, printedSomewhere, submit } from './support/jobs.ts'
import { eventually, patience, SharedNetwork } from './support/shared-network.ts'

const skip = await dockerMissing('runc')
/** Serves a page on a port of its own until it is told to go. */
const SERVER =
  'mkdir /tmp/www; echo inside > /tmp/www/page; httpd -p 8080 -h /tmp/www; echo up; until [ -e /tmp/go ]; do usleep 100000; done'

/** What both providers give to a task. */
const SMALL = 32 * MiB

/** The first lets its requesters in, the second does not. */
const network = new SharedNetwork({
  requesters: 2,
  providers: 2,
  provider: (number) => ({
    kinds: ['docker'],
    docker: { runtime: 'runc' },
    resources: { cpu: 1, memory: number === 0 ? '256MiB' : '1GiB', disk: '1GiB' },
    prices: { perTask: number === 0 ? '0.001' : '0.02', perCoreSecond: '0' },
    policy: { attach: number === 0 ? 'on' : 'off' },
  }),
})
const requester = () => network.client('requester-1')
const hive = () => new Hive({ HIVE_DATA: network.node('requester-1').dir })

/** A job of one task that serves; one with more memory than the first provider gives runs at the other. */
async function serving(client: NodeClient, memoryBytes = SMALL) {
  const id = await submit(client, {
    kind: 'docker',
    program: await buildBusyboxImage(),
    args: ['sh', '-c', SERVER],
    bidsWanted: 1,
    memoryBytes,
    // too little for the second
    ...(memoryBytes === SMALL && { maxPrice: parseAmount('0.01') }),
  })
  return { id, at: await printedSomewhere(client, id) }
}

/** Has it end by itself, and gives the job's end. */
async function finished(client: NodeClient, id: string): Promise<JobBody> {
  assert.equal((await hive().run('exec', id, '--', 'touch', '/tmp/go')).code, 0)
  return ended(client, id)
}

async function codeOfExec(client: NodeClient, id: string, body: ExecBody): Promise<string> {
  using socket = await client.upgraded(`/v1/jobs/${id}/exec`, body, { signal: patience() })
  return await socket.read().then(() => 'let in', codeOf)
}

/** Sends a request through `socket` and reads the whole answer. */
async function ask(socket: Socket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.0\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

test(
  'a program inside: input, both outputs and exit code go through two nodes, and the result says so',
  { skip },
  async () => {
    const client = await requester()
    const { id, at } = await serving(client)
    assert.equal(at, network.node('provider-1').address)
    const running = await client.get<JobBody>(`/v1/jobs/${id}`, { signal: patience() })
    const operator = new Hive({ HIVE_DATA: network.node('provider-1').dir })
    const printed = await operator.run('logs', '--work', running.shares[0]?.id ?? '')
    assert.deepEqual([printed.code, printed.stdout], [0, 'up\n'])
    const name = id.slice(0, 20)
    const cat = ['exec', '-i', name, '--', 'sh', '-c', 'cat; echo oh >&2; exit 7']
    const fed = await hive().fed('in and out', ...cat)
    assert.deepEqual([fed.code, fed.stdout, fed.stderr], [7, 'in and out', 'oh\n'])
    const said = await hive().run('exec', name, '--env', 'A=b', '--', 'sh', '-c', 'id -u; echo $A')
    assert.deepEqual([said.code, said.stdout, said.stderr], [0, '65534\nb\n', ''])
    using socket = await client.upgraded(
      `/v1/jobs/${id}/exec`,
      { command: ['cat'], terminal: { columns: 90, rows: 20 } } satisfies ExecBody,
      { signal: patience() },
    )
    assert.equal(decodeExecOutput((await socket.read()) ?? new Uint8Array()).type, 'started')
    await socket.write(encodeExecInput({ type: 'resize', columns: 120, rows: 40 }))
    await socket.write(encodeExecInput({ type: 'input', bytes: Buffer.from('typed\n') }))
    let echoed = ''
    while (!echoed.includes('typed\r\ntyped')) {
      const output = decodeExecOutput((await socket.read()) ?? new Uint8Array())
      assert.equal(output.type, 'output')
      if (output.type === 'output') echoed += Buffer.from(output.bytes).toString()
    }
    const big = await hive().run('exec', id, '--', 'sh', '-c', 'yes | head -c 5000000')
    assert.equal(big.stdout.length, 5_000_000)
    const job = await finished(client, id)
    assert.equal(job.state, 'settled', JSON.stringify(job.error))
    assert.equal(allResults(job)[0]?.attached, true)
  },
)

test(
  'a port inside is reached from a port here, many times, and nothing of the provider is',
  { skip },
  async () => {
    const client = await requester()
    const { id } = await serving(client)
    const child = hive().start('forward', '--json', id, ':8080')
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer]
    const { local } = JSON.parse(line.toString()) as { local: number }
    const pages = await Promise.all(
      [1, 2, 3].map(async () => ask(connect(local, '127.0.0.1'), '/page')),
    )
    for (const page of pages) assert.match(page, /200 OK[^]*inside\n$/)
    child.kill('SIGINT')
    assert.equal((await once(child, 'close'))[0], 0)

    // whatever listens on the provider's machine: its node's API, and any other server
    const server = createServer((socket) => void socket.end('from outside'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const api = await readApiFile(network.node('provider-1').dir)
    for (const port of [api?.port ?? 0, (server.address() as AddressInfo).port]) {
      const body: ForwardBody = { port }
      using socket = await client.upgraded(`/v1/jobs/${id}/forward`, body, { signal: patience() })
      await assert.rejects(socket.read(), { code: 'FORWARD_REFUSED' })
    }
    server.close()
    const job = await finished(client, id)
    assert.equal(job.state, 'settled')
    await eventually(
      async () => (await codeOfExec(client, id, { command: ['true'] })) === 'TASK_NOT_RUNNING',
    )
  },
)

test(
  'a provider that lets nobody in says so, and the job is as if nobody had asked',
  { skip },
  async () => {
    const client = await requester()
    const { id, at } = await serving(client, 512 * MiB)
    assert.equal(at, network.node('provider-2').address)
    const refused = await hive().refusal('exec', id, '--', 'sh')
    assert.deepEqual([refused.exit, refused.code], [125, 'ATTACH_DECLINED'])
    await client.post(`/v1/jobs/${id}/cancel`, undefined)
  },
)

test(
  'a stranger hears nothing of the task, and of another’s job no node knows',
  { skip },
  async () => {
    const client = await requester()
    const { id } = await serving(client)
    const stranger = await network.client('requester-2')
    assert.equal(await codeOfExec(stranger, id, { command: ['sh'] }), 'JOB_UNKNOWN')
    assert.equal(await codeOfExec(client, id, { command: ['true'], task: 1 }), 'TASK_NOT_RUNNING')
    const refused = await hive().refusal('exec', id, '--', 'no-such-program')
    assert.deepEqual([refused.exit, refused.code], [125, 'EXEC_FAILED'])
    await finished(client, id)
  },
)

test('cancelling the job ends what its requester has inside', { skip }, async () => {
  const client = await requester()
  const { id } = await serving(client)
  const body: ExecBody = { command: ['sh', '-c', 'echo begun; sleep 600'] }
  using socket = await client.upgraded(`/v1/jobs/${id}/exec`, body, { signal: patience() })
  await socket.read()
  await socket.read()
  await client.post(`/v1/jobs/${id}/cancel`, undefined)
  let last: Uint8Array | undefined
  const end = async (): Promise<string> => {
    for (let frame = await socket.read(); frame !== undefined; frame = await socket.read())
      last = frame
    return 'ended'
  }
  // killed with its task, or gone with it before the engine could say how
  const how = await end().catch(codeOf)
  const exit = last && decodeExecOutput(last)
  assert.ok(how === 'TASK_NOT_RUNNING' || (exit?.type === 'exit' && exit.code !== 0), how)
  await ended(client, id)
})
