import { Type } from 'typebox'
import { second } from '../../domain/units.ts'
import { MAX_SPEC_BYTES } from '../../protocol/limits.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { sendEvents } from '../event-stream.ts'
import { bundleOf } from '../job-bundle.ts'
import { jobEvents, jobLogs } from '../job-events.ts'
import { toJobRequest, toSecretValues } from '../job-request.ts'
import { BundleBody } from '../schemas/bundle.ts'
import { JobExtensionBody } from '../schemas/job-handling.ts'
import { JobSubmissionBody } from '../schemas/job-request.ts'
import { JobBody, JobSummary } from '../schemas/jobs.ts'
import { LogQueryBody, toLogQuery } from '../schemas/log-query.ts'
import { WhyBody } from '../schemas/why.ts'
import { jobSummary, jobView } from '../views/job-view.ts'
import { reachedNobody, whyView } from '../views/why-view.ts'

/** JSON of a spec is longer than its block: field names, CIDs as text. */
const MAX_JOB_JSON_BYTES: number = 8 * MAX_SPEC_BYTES
/** How long connected nodes may take to say what they run, ms; a person waits for the answer. */
const MAX_ASKING_MS: number = 2 * second
const ById = Type.Object({ id: Type.String({ pattern: '^0x[0-9a-f]{2,64}$' }) })
const described = (summary: string) => ({ summary, params: ById })

/** Jobs of this node as requester. An id may be given by a unique start. */
export function jobRoutes(app: App, context: RouteContext): void {
  const { requester, clock, blobs, stop } = context
  const { book, live } = requester

  app.post(
    '/v1/jobs',
    {
      bodyLimit: MAX_JOB_JSON_BYTES,
      schema: {
        summary: 'Starts a job whose contents are on this node',
        body: JobSubmissionBody,
        response: { 201: JobSummary },
      },
    },
    async (request, reply) => {
      const { body } = request
      const signal = signalOf(reply, stop)
      const job = await requester.submit(toJobRequest(body), signal, toSecretValues(body))
      return reply.code(201).send(jobSummary(job))
    },
  )

  app.get(
    '/v1/jobs',
    {
      schema: {
        summary: 'All jobs, the newest first',
        response: { 200: Type.Object({ jobs: Type.Array(JobSummary) }) },
      },
    },
    async () => ({ jobs: (await book.list()).map(jobSummary) }),
  )

  app.get(
    '/v1/jobs/:id',
    { schema: { ...described('A job with its shares and results'), response: { 200: JobBody } } },
    async ({ params }) => {
      const job = await book.find(params.id)
      return jobView(job, await book.sharesOf(job), live.running(job.id))
    },
  )

  app.get(
    '/v1/jobs/:id/why',
    {
      schema: {
        ...described('Why providers do not take a job, and what would bring more bids'),
        response: { 200: WhyBody },
      },
    },
    async ({ params }, reply) => {
      const job = await book.find(params.id)
      if (!reachedNobody(job)) return whyView(job)
      const soon = AbortSignal.any([signalOf(reply, stop), AbortSignal.timeout(MAX_ASKING_MS)])
      return whyView(job, await context.presence.peers(soon))
    },
  )

  app.post(
    '/v1/jobs/:id/cancel',
    {
      schema: {
        ...described(
          'Stops a job, answered when it has ended; a second time gives up what is not delivered',
        ),
        response: { 200: JobSummary },
      },
    },
    async ({ params }, reply) =>
      jobSummary(await requester.cancel(params.id, signalOf(reply, stop))),
  )

  app.post(
    '/v1/jobs/:id/stop',
    {
      schema: {
        ...described('Ends a service with what it has so far, paid to the last whole second'),
        response: { 200: JobSummary },
      },
    },
    async ({ params }) => jobSummary(await requester.stop(params.id)),
  )

  app.post(
    '/v1/jobs/:id/extend',
    {
      schema: {
        ...described('Gives a job under way more time, attempts, price or budget'),
        body: JobExtensionBody,
        response: { 200: JobSummary },
      },
    },
    async ({ params, body: { maxPrice, budget, ...body } }) => {
      const more = {
        ...body,
        ...(maxPrice !== undefined && { maxPrice: BigInt(maxPrice) }),
        ...(budget !== undefined && { budget: BigInt(budget) }),
      }
      return jobSummary(await requester.extend(params.id, more))
    },
  )

  app.post(
    '/v1/jobs/:id/fetched',
    {
      schema: {
        ...described('Says that the results of a job that is over were fetched from this node'),
        response: { 200: JobSummary },
      },
    },
    async ({ params }) => jobSummary(await requester.fetched(params.id)),
  )

  app.get(
    '/v1/jobs/:id/bundle',
    { schema: { ...described('What proves the job to others'), response: { 200: BundleBody } } },
    async ({ params }, reply) =>
      bundleOf(context, await book.find(params.id), signalOf(reply, stop)),
  )

  app.get(
    '/v1/jobs/:id/events',
    { schema: described('Server-sent events, from a snapshot until the job has ended') },
    async ({ params }, reply) => {
      const signal = signalOf(reply, stop)
      const { id } = await book.find(params.id)
      return sendEvents(reply, jobEvents(requester, id, signal), clock, signal)
    },
  )

  app.get(
    '/v1/jobs/:id/logs',
    {
      schema: {
        ...described('Output of tasks, as server-sent log events'),
        querystring: LogQueryBody,
      },
    },
    async ({ params, query }, reply) => {
      const signal = signalOf(reply, stop)
      const { id } = await book.find(params.id)
      return sendEvents(
        reply,
        jobLogs({ book, blobs, live }, id, toLogQuery(query), signal),
        clock,
        signal,
      )
    },
  )
}
