import { KiB, MiB, minute, second } from '../domain/units.ts'

/** Largest gossiped offer, bytes. Source: docs/limits.md; a real one is about 400 bytes. */
export const MAX_OFFER_BYTES: number = 2 * KiB
/**
 * Most offers that a node takes from one topic in a minute: 100 a second, checked in a hundredth of that.
 * A group that is busier has shelves.
 */
export const MAX_TOPIC_OFFERS_PER_MINUTE = 6000
/** Largest advert record in the DHT, bytes. Source: docs/limits.md. */
export const MAX_ADVERT_BYTES: number = 8 * KiB
/** Longest hardware text of an advert, characters; half of what the advert may fill. */
export const MAX_HARDWARE_CHARS: number = 4 * KiB
/** Largest bid with its bond offer, bytes. Source: docs/limits.md; a real one is about 500 bytes. */
export const MAX_BID_BYTES: number = 2 * KiB
/** Largest award with its agreement, bytes: MAX_SHARE_TASKS indexes of up to 3 bytes, plus the agreement. */
export const MAX_AWARD_BYTES: number = 64 * KiB
/** Most shares that one voucher request may newly pay; a longer list goes in several requests. */
export const MAX_VOUCHER_SHARES = 256
/** Largest voucher with its shares, bytes: MAX_VOUCHER_SHARES of about 80 bytes, plus the voucher. */
export const MAX_VOUCHER_BYTES: number = 32 * KiB
/** Largest answer to a round of a challenge, bytes: 32 for each of 12 segments of 64 chains. */
export const MAX_CHALLENGE_BYTES: number = 32 * KiB
/** Most bytes that one may ask for to time their way. */
export const MAX_SPEED_BYTES: number = 16 * MiB
/** Largest request to run a program inside a task, bytes: its words and variables. */
export const MAX_COMMAND_BYTES: number = 16 * KiB
/** Largest small request or answer, bytes. */
export const MAX_SMALL_BYTES: number = 1 * KiB
/** Most that the values of a job's secrets may hold together, bytes; keys, tokens and certificates are small. */
export const MAX_SECRETS_BYTES: number = 64 * KiB
/** Largest sealed box of secrets, bytes: MAX_SECRETS_BYTES, their names and what the sealing adds. */
export const MAX_SEALED_SECRETS_BYTES: number = 80 * KiB
/** Largest frame of a stream, bytes; below yamux's 256 KiB window, so that one frame never stalls. */
export const MAX_FRAME_BYTES: number = 128 * KiB
/** Largest job spec block, bytes; bitswap carries blocks up to 2 MiB. */
export const MAX_SPEC_BYTES: number = 1 * MiB
/** Largest results manifest, bytes; each of a share's MAX_SHARE_TASKS tasks may fill its part of it. */
export const MAX_MANIFEST_BYTES: number = 8 * MiB
/** Largest program image, bytes. Source: docs/limits.md; pandoc as WASM is 58 MB. */
export const MAX_IMAGE_BYTES: number = 512 * MiB
/** Largest manifest of a layered image, bytes; MAX_IMAGE_LAYERS of about 110 bytes, and its configuration. */
export const MAX_IMAGE_MANIFEST_BYTES: number = 256 * KiB
/** Most layers of an image. Source: the overlay2 storage driver takes 128, one is the container's own. */
export const MAX_IMAGE_LAYERS = 127
/** Largest input or output file, bytes. */
export const MAX_FILE_BYTES: number = 256 * MiB
/** Most that the files and the stdin of one task may hold together, bytes: they pass through memory. */
export const MAX_TASK_INPUT_BYTES: number = 512 * MiB
/** Most that a task may print on stdout and stderr together, bytes. */
export const MAX_OUTPUT_BYTES: number = 16 * MiB
/** Most output files of one task. */
export const MAX_OUTPUT_FILES = 1000
/** Longest path inside a task, characters. */
export const MAX_PATH_CHARS = 512
/** How long a peer may take to answer a small request, ms. */
export const REQUEST_TIMEOUT_MS: number = 10 * second
/** How long a provider asks for the secrets of a share before it gives the share up, ms; a requester may be restarting. */
export const SECRETS_WAIT_MS: number = 2 * minute
/** How long content may take before a new session is tried, ms. */
export const CONTENT_TIMEOUT_MS: number = 2 * minute
