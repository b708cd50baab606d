import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Two private networks, each behind a router of its own, and a public one between them. */
export interface NatLab extends AsyncDisposable {
  /** The address of the public network's own machine. No other machine reaches it, whatever it looks like. */
  readonly publicIp: string
  /** Starts a program in the public network, at `publicIp`. */
  readonly inPublic: readonly string[]
  /** Starts one behind the first or the second router. */
  readonly behind: readonly [readonly string[], readonly string[]]
  /** Both routers: how to start a program on one, and its addresses on either side. */
  readonly routers: readonly [NatRouter, NatRouter]
  /** Makes a port of this machine reachable from all three; the URL with its new host and port. */
  readonly opened: (url: string) => Promise<string>
}

/** What stands between a private network and the public one. */
export interface NatRouter {
  readonly on: readonly string[]
  readonly inside: string
  readonly outside: string
}

/** Why no such network can be made here, or `false`. */
export function natLabMissing(): string | false {
  const probe = `hive-probe-${process.pid}`
  try {
    sh(
      `ip netns add ${probe}`,
      `ip -n ${probe} link add br0 type bridge`,
      `ip netns exec ${probe} iptables -t nat -A POSTROUTING -j MASQUERADE`,
    )
    return false
  } catch {
    return 'skipped: no network namespaces with bridges and address translation here (root, iproute2, iptables)'
  } finally {
    quietly(`ip netns del ${probe}`)
  }
}

/**
 * Makes it; disposal removes all of it.
 * @param mapping where the routers show a port: at the same place to everybody, or at another to each
 */
export async function openNatLab(mapping: 'same' | 'other' = 'same'): Promise<NatLab> {
  await using stack = new AsyncDisposableStack()
  const name = (part: string) => `hive-${part}-${process.pid}`
  const middle = name('public')
  const net = freeNet()
  const publicIp = `${net}.1`
  const here = `${net}.254`
  const add = (space: string) => {
    sh(`ip netns add ${space}`, `ip -n ${space} link set lo up`)
    stack.defer(() => quietly(`ip netns del ${space}`))
  }
  add(middle)
  sh(
    `ip -n ${middle} link add br0 type bridge`,
    `ip -n ${middle} addr add ${publicIp}/24 dev br0`,
    `ip -n ${middle} link set br0 up`,
  )
  let ports = 0
  /** Plugs a space, or this machine where none is given, into the public network. */
  const plug = (link: string, address: string, space?: string) => {
    const inside = space === undefined ? '' : `-n ${space}`
    const netns = space === undefined ? '' : `netns ${space}`
    const plugged = `port${++ports}`
    sh(
      `ip -n ${middle} link add ${plugged} type veth peer name ${link} ${netns || 'netns 1'}`,
      `ip -n ${middle} link set ${plugged} master br0 up`,
      `ip ${inside} addr add ${address}/24 dev ${link}`,
      `ip ${inside} link set ${link} up`,
    )
  }
  const link = `hive${process.pid}`
  plug(link, here)
  stack.defer(() => quietly(`ip link del ${link}`))
  const makeLan = (number: number) => {
    const [router, lan] = [name(`router${number}`), name(`lan${number}`)]
    const outside = `${net}.${10 + number}`
    const inside = `10.77.${number}.1`
    add(router)
    add(lan)
    plug('out', outside, router)
    sh(
      `ip -n ${router} link add in type veth peer name eth netns ${lan}`,
      `ip -n ${router} addr add ${inside}/24 dev in`,
      `ip -n ${router} link set in up`,
      `ip -n ${lan} addr add 10.77.${number}.2/24 dev eth`,
      `ip -n ${lan} link set eth up`,
      `ip -n ${lan} route add default via ${inside}`,
      `ip netns exec ${router} sysctl -qw net.ipv4.ip_forward=1`,
      `ip netns exec ${router} iptables -t nat -A POSTROUTING -o out -j MASQUERADE${mapping === 'other' ? ' --random-fully' : ''}`,
      // nobody gets in who was not called first, nor an answer, as from most routers at home
      `ip netns exec ${router} iptables -A FORWARD -i out -m state --state NEW,INVALID -j DROP`,
      `ip netns exec ${router} iptables -A INPUT -i out -m state --state NEW,INVALID -j DROP`,
    )
    return { lan: into(lan), router: { on: into(router), inside, outside } }
  }
  const [first, second] = [makeLan(1), makeLan(2)]
  const owned = stack.move()
  const opened = async (url: string) => {
    const { port } = new URL(url)
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      const far = connect({ host: '127.0.0.1', port: Number(port) })
      socket.pipe(far).pipe(socket)
      for (const each of [socket, far]) {
        sockets.add(each)
        each.on('error', () => [socket, far].map((one) => one.destroy()))
        each.on('close', () => sockets.delete(each))
      }
    })
    server.listen(0, here)
    await once(server, 'listening')
    owned.defer(() => {
      server.close()
      // the other end may have gone with its network, and would never say that it closes
      for (const each of sockets) each.destroy()
    })
    const { port: ours } = server.address() as AddressInfo
    return `http://${here}:${ours}`
  }
  return {
    publicIp,
    inPublic: into(middle),
    behind: [first.lan, second.lan],
    routers: [first.router, second.router],
    opened,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Starts a program in a space. */
function into(space: string): readonly string[] {
  return ['ip', 'netns', 'exec', space]
}

/** Addresses that count as public ones, and that no other lab on this machine has: its process's own. */
function freeNet(): string {
  for (let number = process.pid; ; number++) {
    const net = `44.${1 + ((number >> 8) % 127)}.${number % 256}`
    if (String(execFileSync('ip', ['route', 'show', `${net}.0/24`])).trim() === '') return net
  }
}

function sh(...lines: readonly string[]): void {
  for (const line of lines) {
    const [command = '', ...args] = line.split(' ').filter(Boolean)
    execFileSync(command, args, { stdio: 'pipe' })
  }
}

/** For what may be gone already. */
function quietly(line: string): void {
  try {
    sh(line)
  } catch {
    // it went with another part
  }
}
