import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A home router's UPnP side, in the network namespace of the router itself: it is found by multicast (SSDP), says its
 * public address and forwards ports (SOAP), for which it changes the router's own address translation.
 * Source: UPnP Device Architecture 2.0 §1.3, WANIPConnection:2 §2.5.
 */
export interface RouterPlan {
  /** Its address in the private network. */
  readonly inside: string
  /** Its address in the public one. */
  readonly outside: string
  /** Whether it only says that it forwards, as one does that is itself behind another. */
  readonly isIdle: boolean
}

/** One port that it forwards. */
export interface Forwarded {
  readonly port: number
  readonly client: string
  readonly clientPort: number
  readonly leaseSeconds: number
}

const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2'
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:2'
const MULTICAST = '239.255.255.250'
const SSDP_PORT = 1900
const NAME = 'uuid:6b0c2a35-5c8b-4b6a-9d5e-3f1d1f6f2c11'
const DESCRIPTION = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>${DEVICE}</deviceType><UDN>${NAME}</UDN>
<serviceList><service><serviceType>${SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<SCPDURL>/service.xml</SCPDURL><controlURL>/control</controlURL><eventSubURL>/events</eventSubURL></service></serviceList>
</device></root>`

const { inside, outside, isIdle } = JSON.parse(process.argv[2] ?? '') as RouterPlan
const forwarded = new Map<number, Forwarded>()

function translate(how: '-A' | '-D', { port, client, clientPort }: Forwarded): void {
  if (isIdle) return
  const to = `${client}:${clientPort}`
  const lines = [
    `-t nat ${how} PREROUTING -i out -p tcp --dport ${port} -j DNAT --to-destination ${to}`,
    // before the rule that lets nobody in
    `${how === '-A' ? '-I' : '-D'} FORWARD -i out -p tcp -d ${client} --dport ${clientPort} -j ACCEPT`,
  ]
  for (const line of lines) execFileSync('iptables', line.split(' '), { stdio: 'pipe' })
}

/** What an action answers with; `undefined` for one that it does not know. */
function act(action: string, argument: (name: string) => string): string | undefined {
  const port = Number(argument('NewExternalPort'))
  if (action === 'GetExternalIPAddress')
    return `<NewExternalIPAddress>${outside}</NewExternalIPAddress>`
  if (action === 'AddAnyPortMapping') {
    const mapping = {
      port,
      client: argument('NewInternalClient'),
      clientPort: Number(argument('NewInternalPort')),
      leaseSeconds: Number(argument('NewLeaseDuration')),
    }
    // a renewed one is there already
    if (!forwarded.has(port)) translate('-A', mapping)
    forwarded.set(port, mapping)
    return `<NewReservedPort>${port}</NewReservedPort>`
  }
  if (action === 'DeletePortMapping') {
    const mapping = forwarded.get(port)
    if (mapping !== undefined) translate('-D', mapping)
    forwarded.delete(port)
    return ''
  }
  return undefined
}

const server = createServer((request, response) => {
  const xml = { 'Content-Type': 'text/xml; charset="utf-8"' }
  if (request.method !== 'POST') {
    response.writeHead(200, xml).end(DESCRIPTION)
    return
  }
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (part: string) => (body += part))
  request.on('end', () => {
    const action = /#(\w+)"$/.exec(String(request.headers['soapaction']))?.[1] ?? ''
    const value = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? ''
    const answer = act(action, value)
    if (answer === undefined) {
      response.writeHead(500, xml).end()
      return
    }
    response
      .writeHead(200, xml)
      .end(
        `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` +
          `<u:${action}Response xmlns:u="${SERVICE}">${answer}</u:${action}Response></s:Body></s:Envelope>`,
      )
  })
})
server.listen(0, inside)
await once(server, 'listening')
const { port: httpPort } = server.address() as AddressInfo

const ssdp = createSocket({ type: 'udp4', reuseAddr: true })
ssdp.on('message', (message, from) => {
  const text = message.toString()
  if (!text.startsWith('M-SEARCH') || !text.includes(DEVICE)) return
  const answer = [
    'HTTP/1.1 200 OK',
    'CACHE-CONTROL: max-age=1800',
    'EXT:',
    `LOCATION: http://${inside}:${httpPort}/device.xml`,
    'SERVER: test UPnP/2.0 router/1',
    `ST: ${DEVICE}`,
    `USN: ${NAME}::${DEVICE}`,
  ]
  ssdp.send(`${answer.join('\r\n')}\r\n\r\n`, from.port, from.address)
})
ssdp.bind(SSDP_PORT)
await once(ssdp, 'listening')
ssdp.addMembership(MULTICAST, inside)

process.on('message', () => process.send?.([...forwarded.values()]))
process.on('disconnect', () => process.exit(0))
process.send?.([])
