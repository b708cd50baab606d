import { errorText as text, type ErrorText } from './error-text.ts'

/** What can be wrong with peers and content: part of ERROR_CODES. */
export const LINE_ERRORS = {
  // network and content
  PEER_UNREACHABLE: text(
    'The peer cannot be reached.',
    'Check its address, your network and `hive peers`.',
  ),
  PEER_PROTOCOL: text(
    'The peer answered against the protocol.',
    'It may run another version; it is treated as faulty.',
  ),
  PEER_QUOTA: text(
    'The peer sent more requests than its quota.',
    'Slow down; quotas are listed in docs/limits.md.',
  ),
  STREAM_CUT: text('A stream ended before its end frame.', 'The transfer is tried again.'),
  CONTENT_BUDGET: text(
    'The job’s content is more than the provider gives to content now.',
    'Send less per share, or ask providers with more room; storage.cacheBytes is the provider’s setting.',
  ),
  CONTENT_NOT_FOUND: text(
    'Content could not be fetched.',
    'Keep the node that has it online, or add the file again.',
  ),
  CONTENT_TOO_LARGE: text(
    'Content is larger than allowed.',
    'Use a smaller file; docs/limits.md lists the limits.',
  ),
  FETCH_TIMEOUT: text(
    'A job’s program and files did not reach the provider in time.',
    'Keep the node that has them online; a smaller image or a faster line helps.',
  ),
} as const satisfies Record<string, ErrorText>
