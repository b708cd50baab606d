import { directoryKeepsItsPromises } from '../../../conformance/directory.ts'
import { duplexKeepsItsPromises } from '../../../conformance/duplex.ts'
import { gossipKeepsItsPromises } from '../../../conformance/gossip.ts'
import { requestsKeepTheirPromises } from '../../../conformance/requests.ts'
import { sightKeepsItsPromises } from '../../../conformance/sight.ts'
import { FakeNetwork } from '../../../support/fake-network.ts'
import type { OpenNetwork } from '../../../support/test-network.ts'

const openFakeNetwork: OpenNetwork = async ({ nodes: count, shape = 'all', ...options }) => {
  const network = new FakeNetwork(options)
  const nodes = Array.from({ length: count }, () => network.join({ alone: shape === 'star' }))
  const [centre] = nodes
  if (shape === 'star') for (const { peer } of nodes) network.connect(centre?.peer ?? '', peer)
  return {
    nodes,
    settled: async () => undefined,
    cut: async (a, b) => network.cut(a.peer, b.peer),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

gossipKeepsItsPromises('fake gossip', openFakeNetwork)
requestsKeepTheirPromises('fake requests', openFakeNetwork)
directoryKeepsItsPromises('fake directory', openFakeNetwork)
duplexKeepsItsPromises('fake two-way streams', openFakeNetwork)
sightKeepsItsPromises('fake sight', openFakeNetwork)
