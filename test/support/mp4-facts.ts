/** What an MP4 file says of one stream in it. */
export interface Mp4Track {
  /** `vide`, `soun`, … */
  readonly kind: string
  /** The name of its coding: `avc1`, `mp4a`, … */
  readonly codec: string
  readonly seconds: number
  readonly width: number
  readonly height: number
}

/** The streams of an MP4 file. Source of the offsets: ISO/IEC 14496-12, version 0 boxes. */
export function mp4Tracks(bytes: Uint8Array): readonly Mp4Track[] {
  const [moov] = boxes(Buffer.from(bytes), 'moov')
  if (moov === undefined) throw new Error('no moov box')
  return boxes(moov, 'trak').map((trak): Mp4Track => {
    const media = only(trak, 'mdia')
    const times = only(media, 'mdhd')
    const track = only(trak, 'tkhd')
    return {
      kind: only(media, 'hdlr').toString('latin1', 8, 12),
      codec: only(only(only(media, 'minf'), 'stbl'), 'stsd').toString('latin1', 12, 16),
      seconds: times.readUInt32BE(16) / times.readUInt32BE(12),
      width: track.readUInt32BE(76) / 65_536,
      height: track.readUInt32BE(80) / 65_536,
    }
  })
}

function only(parent: Buffer, type: string): Buffer {
  const [box] = boxes(parent, type)
  if (box === undefined) throw new Error(`no ${type} box`)
  return box
}

/** The contents of the boxes of one type directly inside. */
function boxes(parent: Buffer, type: string): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + 8 <= parent.length;) {
    const size = parent.readUInt32BE(at)
    if (size < 8) throw new Error('a box without a size of its own')
    if (parent.toString('latin1', at + 4, at + 8) === type) {
      found.push(parent.subarray(at + 8, at + size))
    }
    at += size
  }
  return found
}
