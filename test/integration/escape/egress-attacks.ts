import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { answersOf, callImage, otherMachine, type Call } from '../../support/call-program.ts'
import { shell } from '../../support/docker-programs.ts'
import { attempt, type Attack } from './attack.ts'

/** Says each line of stdin's first argument to the proxy, raw, and prints what comes back. */
const RAW = 'for words; do { printf "$words"; sleep 1; } | nc -w 3 127.0.0.1 3128 & done; wait'
const [AF_INET, STREAM, DATAGRAM] = [2, 1, 2]
/** x86-64 numbers. */
const CALL = { socket: 41, connect: 42, sendto: 44, bind: 49, setsockopt: 54, ioctl: 16 } as const
const [SOL_SOCKET, SO_BINDTODEVICE, SO_MARK, IP_TRANSPARENT] = [1, 25, 36, 19]
const SIOCSIFADDR = 0x8916

/** What a job with one destination tries so as to get to another. */
export const EGRESS_ATTACKS: readonly Attack[] = [
  {
    name: 'asking the proxy for a server of the host, under every name and number it has',
    contained: 'not listed, or an address that is nobody’s business',
    attempt: async (target, bait) => {
      const own = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
      const hosts = [
        '127.0.0.1 localhost 0.0.0.0 127.1 2130706433 0x7f.1 0177.0.0.1 LOCALHOST. x.localhost 127.0.0.1.'.split(
          ' ',
        ),
        '[::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1]'.split(' '),
        ['%%31%%32%%37.0.0.1', 'site.example@127.0.0.1'],
        own.map(({ family, address }) => (family === 'IPv6' ? `[${address}]` : address)),
      ].flat()
      const words = hosts.flatMap((host) => [
        `GET http://${host}:${bait.port}/ HTTP/1.1\\r\\nHost: site.example\\r\\nConnection: close\\r\\n\\r\\n`,
        `CONNECT ${host}:${bait.port} HTTP/1.1\\r\\nHost: site.example\\r\\n\\r\\n`,
      ])
      const half = words.length >> 1
      for (const part of [words.slice(0, half), words.slice(half)]) {
        const { said } = await attempt(target, bait, shell(RAW), {}, part)
        const answers = said.match(/^HTTP\/1\.1 \d+/gm) ?? []
        assert.ok(answers.length > 0)
        assert.deepEqual(
          answers.filter((answer) => !/ (400|403|429)$/.test(answer)),
          [],
        )
      }
    },
  },
  {
    name: 'hiding a second request, or another host, in one that is allowed',
    contained: 'read by one strict parser, and written anew',
    attempt: async (target, bait) => {
      const place = target.egress?.[0] ?? ''
      const hidden = `GET http://127.0.0.1:${bait.port}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`
      const words = [
        `POST http://${place}/ HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`,
        `POST http://${place}/ HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\nContent-Length: 40\\r\\n\\r\\n${hidden}`,
        `GET http://${place}/ HTTP/1.1\\r\\nHost: 127.0.0.1:${bait.port}\\r\\nConnection: close\\r\\n\\r\\n`,
        `GET http://${place}/ HTTP/1.1\\r\\nHost: x\\r\\nX: y\\rHost: 127.0.0.1:${bait.port}\\r\\n\\r\\n`,
        `GET http://127.0.0.1:${bait.port}#@${place}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`,
        `GET http://127.0.0.1:${bait.port}\\\\\\\\@${place}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`,
        `GET //127.0.0.1:${bait.port}/ HTTP/1.1\\r\\nHost: ${place}\\r\\n\\r\\n`,
        `CONNECT ${place} HTTP/1.1\\r\\nHost: 127.0.0.1:${bait.port}\\r\\n\\r\\n${hidden}`,
        `\\005\\001\\000\\005\\001\\000\\001\\177\\000\\000\\001`,
      ]
      await attempt(target, bait, shell(RAW), {}, words)
    },
  },
  {
    name: 'sockets that go past the proxy: other devices, marks, addresses, datagrams',
    contained: 'a loopback of its own, and no right to change it',
    skip: ({ isGvisor }) =>
      otherMachine || (isGvisor && 'skipped: gVisor answers from a kernel of its own'),
    attempt: async (target, bait) => {
      const address = (port: number, ...host: readonly number[]) =>
        Buffer.from([AF_INET, 0, port >> 8, port & 255, ...host, 0, 0, 0, 0, 0, 0, 0, 0])
      const bound = (level: number, option: number, value: Buffer): Call => [
        CALL.setsockopt,
        { resultOf: 0 },
        level,
        option,
        value,
        value.length,
      ]
      const device = Buffer.alloc(40)
      device.write('lo')
      const calls: readonly Call[] = [
        [CALL.socket, AF_INET, STREAM, 0],
        bound(SOL_SOCKET, SO_MARK, Buffer.of(1, 0, 0, 0)),
        bound(0, IP_TRANSPARENT, Buffer.of(1, 0, 0, 0)),
        bound(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from('eth0\0')),
        [CALL.ioctl, { resultOf: 0 }, SIOCSIFADDR, device],
        // the proxy's own address is taken
        [CALL.bind, { resultOf: 0 }, address(3128, 127, 0, 0, 1), 16],
        [CALL.connect, { resultOf: 0 }, address(53, 8, 8, 8, 8), 16],
        [CALL.connect, { resultOf: 0 }, address(bait.port, 127, 0, 0, 1), 16],
        [CALL.socket, AF_INET, DATAGRAM, 0],
        [CALL.sendto, { resultOf: 8 }, Buffer.of(1), 1, 0, address(53, 8, 8, 8, 8), 16],
      ]
      const { stdout } = await attempt(target, bait, { image: callImage(calls), args: [] })
      const answers = answersOf(stdout)
      assert.equal(answers.length, calls.length)
      assert.deepEqual(
        answers.filter((answer, at) => at !== 0 && at !== 8 && answer >= 0),
        [],
      )
    },
  },
  {
    name: 'a flood of connections and requests on the proxy',
    contained: 'each task has so many and no more, and the next task has its own',
    attempt: async (target, bait) => {
      const place = target.egress?.[0] ?? ''
      const flood =
        'i=0; while [ $i -lt 60 ]; do nc 127.0.0.1 3128 </dev/zero >/dev/null 2>&1 & i=$((i+1)); done; sleep 1; echo done'
      const { said } = await attempt(target, bait, shell(flood), { limits: { wallMs: 20_000 } })
      assert.equal(said, 'done\n')
      const next = await attempt(target, bait, shell('wget -q -O - "$1"'), {}, [`http://${place}/`])
      assert.equal(next.said, 'allowed\n')
    },
  },
]
