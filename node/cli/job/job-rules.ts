import { basename } from 'node:path'
import type { Problem } from '../../config/reading.ts'
import { MAX_EGRESS } from '../../domain/egress.ts'
import type { JobKind } from '../../domain/job-spec.ts'
import { secretSlotFault, type SecretSlot } from '../../domain/secret-slot.ts'
import { handlingMistakes } from './handling-fields.ts'
import { formOf, nameFault } from './image-name.ts'
import type { JobDocument } from './job-reader.ts'
import type { SecretEntry } from './secret-fields.ts'
import { serviceMistakes, serviceOf } from './service-fields.ts'

/** What kind of program a file name stands for. */
export function kindFor(path: string): JobKind {
  const isImage = /\.(tar|tgz|tar\.gz|tar\.zst)$/i.test(path) || basename(path) === 'Dockerfile'
  return isImage || formOf(path) !== 'file' || nameFault(path) !== undefined ? 'docker' : 'wasm'
}

/** What is wrong with a job whose fields are right one by one. */
export function mistakesIn(job: JobDocument, isMapped = false): Problem[] {
  const problems: Problem[] = []
  const report = (path: string, text: string) => void problems.push({ path, text })
  if (job.module === undefined && job.image === undefined)
    report('module', 'is missing; name a WASI module here, or an image as image')
  if (job.module !== undefined && job.image !== undefined)
    report('image', 'a job has a module or an image, not both')
  if (job.kind === 'wasm' && job.image !== undefined) report('kind', 'an image is a docker job')
  if (job.kind === 'docker' && job.module !== undefined) report('kind', 'a module is a wasm job')
  if (job.image !== undefined && job.fuel !== undefined)
    report('fuel', 'only the instructions of a module are counted')
  if (job.image !== undefined && job.deterministic === true)
    report('deterministic', 'only a module can be held to it')
  if (job.module !== undefined && Object.values(job.gpu).some((each) => each !== undefined))
    report('gpu', 'only an image can use one')
  if (job.module !== undefined && job.network.allow.length > 0)
    report('network.allow', 'a module has no sockets; only an image can reach anything')
  if (job.network.allow.length > MAX_EGRESS)
    report('network.allow', `expected at most ${MAX_EGRESS} destinations`)
  for (const [at, { env, path, from }] of job.secrets.entries()) {
    if ((env === undefined) === (path === undefined))
      report(`secrets[${at}]`, 'a task finds it in a variable, env, or in a file, path')
    else if (env === undefined && from === undefined)
      report(`secrets[${at}].from`, 'is missing; expected env:VARIABLE or file:PATH')
  }
  const slotFault = secretSlotFault({
    ...job,
    secrets: job.secrets.flatMap(slotOf),
    files: Object.keys(job.files).map((path) => ({ path })),
    inputs: [],
  })
  if (slotFault !== undefined) report('secrets', `expected ${slotFault}`)
  if (job.pay === 'fuel' && job.fuel === undefined && job.image === undefined)
    report('fuel', 'is missing; it is the limit that the price is for')
  if (job.pay === 'fuel' && job.image !== undefined)
    report('pay', 'only the instructions of a module are counted')
  if (job.pay !== 'task' && Object.values(job.gpu).some((each) => each !== undefined))
    report('pay', 'the use of a GPU is not measured; a task with one is paid as a whole')
  if (job.pay !== 'task' && serviceOf(job.service) !== undefined)
    report('pay', 'a service is paid by the second')
  problems.push(...serviceMistakes(job.service, job))
  problems.push(...handlingMistakes(job))
  if (job.cache !== undefined && (job.deterministic !== true || job.secrets.length > 0))
    report('cache', 'only a deterministic job without secrets gives the same each time')
  if (job.tasks !== undefined && job.map !== undefined)
    report('tasks', 'the number of tasks follows from map; leave one of the two out')
  if (job.maxPrice === 0n) report('maxPrice', 'must be above zero')
  if (job.budget === 0n) report('budget', 'must be above zero')
  if (job.timeout === 0) report('timeout', 'must be above zero')
  if (job.bidWindow === 0) report('bidWindow', 'must be above zero')
  if (job.resources.memory === 0) report('resources.memory', 'must be above zero')
  if (isMapped && job.tasks !== undefined)
    report('tasks', 'the number of tasks follows from map; leave one of the two out')
  if (job.map === undefined && !isMapped) {
    const texts = [
      ...job.args.map((text, at) => [`args[${at}]`, text] as const),
      ...Object.entries(job.env).map(([key, text]) => [`env.${key}`, text] as const),
    ]
    for (const [path, text] of texts)
      if (text.includes('{input}'))
        report(path, '{input} stands for a file of map, and there is no map')
  }
  return problems
}

/** Where a task finds a secret; none for one that says it badly. */
export function slotOf({ name, env, path }: SecretEntry): SecretSlot[] {
  if (env !== undefined) return [{ name, env }]
  return path === undefined ? [] : [{ name, path }]
}
