// Numbers of the WASI preview 1 ABI, as its witx files give them.

/** Error numbers; every call answers with one. */
export const ERRNO = {
  success: 0,
  badf: 8,
  busy: 10,
  exist: 20,
  fault: 21,
  fbig: 22,
  inval: 28,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  notdir: 54,
  notempty: 55,
  notsup: 58,
  perm: 63,
  spipe: 70,
  notcapable: 76,
} as const
/** An error number; 0 is success. */
export type Errno = (typeof ERRNO)[keyof typeof ERRNO]

/** Types of what a descriptor or a name stands for. */
export const FILETYPE = { directory: 3, regular: 4, stream: 6 } as const

/** Flags of `path_open`. */
export const OFLAG = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const

/** Flags of a descriptor. */
export const FDFLAG = { append: 1, all: 31 } as const

/** Rights of a descriptor that this host looks at; the others are carried, not enforced. */
export const RIGHT = { read: 1n << 1n, write: 1n << 6n, all: (1n << 30n) - 1n } as const

/** Clocks. */
export const CLOCK = { realtime: 0, monotonic: 1, process: 2, thread: 3 } as const

/** Which times `…_set_times` changes, and whether to the given value or to now. */
export const TIME = { access: 1, accessNow: 2, modified: 4, modifiedNow: 8 } as const

/** What `fd_seek` counts from. */
export const WHENCE = { set: 0, current: 1, end: 2 } as const

/** Kinds of `poll_oneoff` subscriptions. */
export const EVENT = { clock: 0, read: 1, write: 2 } as const
