import { argon2Sync, hash } from 'node:crypto'
import { median } from '../../../domain/capacity.ts'
import { MiB } from '../../../domain/units.ts'

/** Times that each thing is tried; the middle one counts, so that one hiccup does not. */
export const TRIES = 3
const COPY_BYTES: number = 64 * MiB
/** More than the caches of most processors; 2^24 numbers. */
const CHASE_ENTRIES = 2 ** 24
const CHASE_READS = 150_000
const HASH_BYTES: number = 16 * MiB
export const ARGON2_BYTES: number = 64 * MiB
/** A generator with full period modulo a power of two: multiplier ≡ 1 mod 4, odd increment. Source: Hull and Dobell. */
const MULTIPLIER = 0x5851f42d
const INCREMENT = 0x14057b7f

/** Bytes copied in a second. */
export function copyRate(): number {
  const from = Buffer.alloc(COPY_BYTES, 1)
  const to = Buffer.alloc(COPY_BYTES, 2) // written to once before, so that every page is there
  return median(tries(() => COPY_BYTES / secondsOf(() => from.copy(to))))
}

/** Nanoseconds of one read whose place only the read before it tells. */
export function readLatency(): number {
  const next = new Uint32Array(CHASE_ENTRIES)
  for (let at = 0; at < CHASE_ENTRIES; at += 1)
    next[at] = (Math.imul(at, MULTIPLIER) + INCREMENT) & (CHASE_ENTRIES - 1)
  let at = 0
  const chase = () => {
    for (let read = 0; read < CHASE_READS; read += 1) at = next[at] ?? 0
  }
  chase() // compiled before the clock starts
  return median(tries(() => (secondsOf(chase) * 1e9) / CHASE_READS))
}

/** Bytes that SHA-256 takes in a second. */
export function hashRate(): number {
  const bytes = Buffer.alloc(HASH_BYTES, 1)
  return median(tries(() => HASH_BYTES / secondsOf(() => hash('sha256', bytes, 'buffer'))))
}

/** Milliseconds that argon2id takes to fill 64 MiB once. */
export function argon2Time(): number {
  return median(tries(() => secondsOf(() => fill(new Uint8Array(32), ARGON2_BYTES)) * 1000))
}

/** Argon2id over `bytes` of memory, one pass: its tag. */
export function fill(salt: Uint8Array, bytes: number): Buffer {
  return argon2Sync('argon2id', fillParameters(salt, bytes))
}

/** The parameters of {@link fill}. */
export function fillParameters(salt: Uint8Array, bytes: number) {
  const memory = Math.floor(bytes / 1024)
  return { message: salt, nonce: salt, parallelism: 1, tagLength: 32, memory, passes: 1 }
}

function tries(once: () => number): number[] {
  return Array.from({ length: TRIES }, once)
}

function secondsOf(work: () => unknown): number {
  const startedAt = performance.now()
  work()
  return (performance.now() - startedAt) / 1000
}
