import { directoryKeepsItsPromises } from '../conformance/directory.ts'
import { duplexKeepsItsPromises } from '../conformance/duplex.ts'
import { gossipKeepsItsPromises } from '../conformance/gossip.ts'
import { requestsKeepTheirPromises } from '../conformance/requests.ts'
import { sightKeepsItsPromises } from '../conformance/sight.ts'
import { openRealNetwork } from '../support/real-network.ts'

gossipKeepsItsPromises('libp2p gossip', openRealNetwork)
requestsKeepTheirPromises('libp2p requests', openRealNetwork)
directoryKeepsItsPromises('libp2p directory', openRealNetwork)
duplexKeepsItsPromises('libp2p two-way streams', openRealNetwork)
sightKeepsItsPromises('libp2p sight', openRealNetwork)
