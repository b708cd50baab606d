import { errorText as text, type ErrorText } from './error-text.ts'

/** A provider's reasons to decline an offer, each with what its requester can do: part of ERROR_CODES. */
export const DECLINE_ERRORS = {
  DECLINED_KIND: text(
    'The provider does not run this kind of job.',
    'Ask for a kind that `hive peers` shows.',
  ),
  DECLINED_REQUESTER: text(
    'The provider does not work for this requester.',
    'Nothing that you can change in the job: other providers may take it, or ask this one’s operator.',
  ),
  DECLINED_IMAGE: text(
    'The provider does not run this program.',
    'Use a program that it allows, or other providers; its operator decides by the CID.',
  ),
  DECLINED_NETWORK: text(
    'The job wants to reach a destination that the provider does not let through.',
    'Ask for fewer destinations in network.allow, or for providers that allow them.',
  ),
  DECLINED_GPU: text(
    'The provider has not as many GPUs of the kind that the job asks for.',
    'Ask for fewer GPUs, for less memory of each, or leave the maker open; `hive peers` shows who has which.',
  ),
  DECLINED_RESOURCES: text(
    'The job asks for more than the provider gives to jobs.',
    'Ask for less CPU, memory or disk; `hive why JOB` says how much would do.',
  ),
  DECLINED_DISK_FULL: text(
    'The provider’s disk is full: it takes no work until there is room.',
    'Run the job again later, or use more providers.',
  ),
  DECLINED_HOURS: text(
    'The provider takes no work at this time of its day.',
    'Run the job again later, or use more providers.',
  ),
  DECLINED_POWER: text(
    'The provider runs on its battery and takes no work until it is plugged in.',
    'Run the job again later, or use more providers.',
  ),
  DECLINED_IN_USE: text(
    'Somebody is using the provider’s machine, which takes work only when nobody does.',
    'Run the job again later, or use more providers.',
  ),
  DECLINED_BUSY: text(
    'The provider’s queue is full, or too long for the job to end in time.',
    'Try again later or use more providers.',
  ),
  DECLINED_PRICE: text(
    'The offered price is below the provider’s own.',
    'Raise --max-price; `hive why JOB` says how far.',
  ),
  DECLINED_POLICY: text('The provider’s policy refuses this job.', 'Choose another provider.'),
  DECLINED_EXPOSURE: text(
    'The provider would be owed more than the channel covers, or than it trusts this requester with.',
    'Deposit more, or let open vouchers settle first; trust grows with what was paid, so begin with less at a time.',
  ),
  DECLINED_STOPPING: text(
    'The provider is about to stop and takes no new work.',
    'Run the job again later, or use more providers.',
  ),
} as const satisfies Record<`DECLINED_${string}`, ErrorText>

/** A code of the table above. */
export type DeclineCode = keyof typeof DECLINE_ERRORS

/** All of them. */
export const DECLINE_CODES = Object.keys(DECLINE_ERRORS) as readonly DeclineCode[]
