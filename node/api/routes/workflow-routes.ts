import { Type } from 'typebox'
import { MAX_STEPS } from '../../domain/workflow.ts'
import { MAX_SPEC_BYTES } from '../../protocol/limits.ts'
import { signalOf, type App } from '../app.ts'
import type { RouteContext } from '../api-parts.ts'
import { sendEvents } from '../event-stream.ts'
import { WorkflowBody, WorkflowSubmissionBody } from '../schemas/workflows.ts'
import { workflowView } from '../views/workflow-view.ts'
import { workflowEvents } from '../workflow-events.ts'
import { toWorkflowRequest } from '../workflow-request.ts'

/** A few steps may be as long as a job may be alone; all of them together not. */
const MAX_WORKFLOW_JSON_BYTES: number = (8 * MAX_SPEC_BYTES * MAX_STEPS) / 16
const ById = Type.Object({ id: Type.String({ pattern: '^0x[0-9a-f]{2,64}$' }) })
const described = (summary: string) => ({ summary, params: ById })

/** Workflows of this node as requester. An id may be given by a unique start. */
export function workflowRoutes(app: App, context: RouteContext): void {
  const { workflows, requester, clock, stop } = context
  const { book } = workflows

  app.post(
    '/v1/workflows',
    {
      bodyLimit: MAX_WORKFLOW_JSON_BYTES,
      schema: {
        summary: 'Starts a workflow: jobs that take from each other what they make',
        body: WorkflowSubmissionBody,
        response: { 201: WorkflowBody },
      },
    },
    async ({ body }, reply) => {
      const workflow = await workflows.submit(toWorkflowRequest(body))
      return reply.code(201).send(await workflowView(workflow, requester.book))
    },
  )

  app.get(
    '/v1/workflows',
    {
      schema: {
        summary: 'All workflows, the newest first',
        response: { 200: Type.Object({ workflows: Type.Array(WorkflowBody) }) },
      },
    },
    async () => ({
      workflows: await Promise.all(
        (await book.list()).map(async (each) => workflowView(each, requester.book)),
      ),
    }),
  )

  app.get(
    '/v1/workflows/:id',
    {
      schema: { ...described('A workflow with its steps'), response: { 200: WorkflowBody } },
    },
    async ({ params }) => workflowView(await book.find(params.id), requester.book),
  )

  app.post(
    '/v1/workflows/:id/cancel',
    {
      schema: {
        ...described('Stops a workflow and its jobs; paid tasks stay paid'),
        response: { 200: WorkflowBody },
      },
    },
    async ({ params }) => workflowView(await workflows.cancel(params.id), requester.book),
  )

  app.get(
    '/v1/workflows/:id/events',
    { schema: described('Server-sent events: the workflow after each change until it is over') },
    async ({ params }, reply) => {
      const signal = signalOf(reply, stop)
      const { id } = await book.find(params.id)
      return sendEvents(reply, workflowEvents(book, requester.book, id, signal), clock, signal)
    },
  )
}
