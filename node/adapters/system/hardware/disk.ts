import { statfs } from 'node:fs/promises'

/** The file system that jobs are stored in. */
export interface Disk {
  readonly diskBytes: number
  readonly diskTotalBytes: number
}

/** Free space, as an ordinary user has it, and size of the file system under `dir`. */
export async function readDisk(dir: string): Promise<Disk> {
  try {
    const { bavail, blocks, bsize } = await statfs(dir)
    return { diskBytes: bavail * bsize, diskTotalBytes: blocks * bsize }
  } catch {
    // no such folder: nothing can be stored in it, so nothing is offered
    return { diskBytes: 0, diskTotalBytes: 0 }
  }
}
