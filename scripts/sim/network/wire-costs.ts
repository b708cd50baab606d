/**
 * What the wire adds to a message, bytes. Sources: RFC 8446 (5 of header, 16 of tag and 1 of type for a TLS record),
 * the yamux specification (12 for a frame), IPv4 and TCP with timestamps (52 for a segment), one record a message.
 */
export const FRAME_BYTES: number = 22 + 12 + 52
/** A TCP acknowledgement, which every second segment brings. Source: RFC 5681 4.2. */
export const ACK_BYTES = 52
/** A gossip RPC around a message: field tags, lengths and the topic's name. Source: the protobuf of the pubsub specification. */
export const GOSSIP_ENVELOPE_BYTES = 50
/**
 * Opening and closing a stream for one call: multistream headers and names both ways, yamux open and close. Source: the
 * multistream-select specification; the names are some 30 bytes long.
 */
export const STREAM_BYTES: number = 2 * (20 + 32) + 4 * 12
/**
 * One more connection to a peer, opened and closed, both ends together, bytes: eleven segments of TCP, TLS 1.3 with a
 * certificate of each end (some 700 bytes, 150 of a signature and 500 of hellos), two rounds of multistream, and what
 * identify tells each way, a signed record of addresses and the protocols (some 1500). Sources: RFC 9293, RFC 8446 and the
 * specifications of libp2p-TLS, multistream-select and identify.
 */
export const CONNECTION_BYTES: number =
  11 * 52 + 2 * (700 + 150) + 500 + 2 * 2 * 50 + 2 * (1500 + STREAM_BYTES)
/** Mesh neighbours of a node in a topic. Source: D of the gossipsub specification. */
export const MESH_DEGREE = 8
/** Neighbours that a node is connected to besides, to whom an own message goes at once. Source: wantedPeers of the node. */
export const OTHER_NEIGHBOURS = 4
