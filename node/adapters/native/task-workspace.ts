import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  rm,
  writeFile,
  type FileHandle,
} from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { HiveError } from '../../domain/errors.ts'
import type { SandboxTask } from '../../ports/sandbox.ts'
import { membersOf } from '../confinement/folder-members.ts'
import { JOB_UID, scratchOptions, secretOptions } from '../confinement/job-bounds.ts'
import { planFolders, type TaskFolder } from '../confinement/task-folders.ts'
import { writeTar, type TarMember } from '../image/tar-writer.ts'
import type { HeldImage } from './unpacked-images.ts'

/** A folder that the job gets besides its image: where it is made ready, and where the job sees it. */
export interface Binding {
  readonly source: string
  readonly target: string
  readonly isWritable: boolean
}

/** Everything of a task that lies in files. Disposal removes it. */
export interface Workspace extends AsyncDisposable {
  /** Folder for what a kind of confinement needs besides. */
  readonly folder: string
  /** The mounts to make, for mount(8); relative to `root`. */
  readonly mounts: string
  /** Folder of files to copy into the outputs folder; empty for none. */
  readonly given: string
  /** Archive to unpack on the stage, of what may not lie on a disk. */
  readonly secret: Uint8Array | undefined
  readonly bindings: readonly Binding[]
  /** Where the job starts. */
  readonly workingDir: string
  readonly stdin: FileHandle | undefined
}

/** Where the mounts of a task are made, in a mount namespace of its own: nobody else sees them. */
export const STAGE = '/mnt'
/** The job's root folder on the stage. */
export const STAGE_ROOT: string = `${STAGE}/root`
/** The outputs folder on the stage. */
export const STAGE_OUT: string = `${STAGE}/out`
/** The job's /tmp on the stage, unless it is given one. */
export const STAGE_TMP: string = `${STAGE}/tmp`

/** Folder with what every job's root has above its image. */
export const BASE = 'base'
/** File with the program that puts a loopback up. */
export const LOOPBACK = 'loopback'
/** Room on the stage itself, for a runtime's own records. */
const STAGE_OPTIONS = 'size=8m,nr_inodes=500,mode=755,nosuid,nodev'

/**
 * Writes a task's files below `root`/runs.
 * @throws HiveError TASK_START_FAILED for a path that no folder can serve
 */
export async function makeWorkspace(
  root: string,
  task: SandboxTask,
  image: HeldImage,
): Promise<Workspace> {
  const plan = planFolders(task)
  try {
    return await write(root, task, image, plan)
  } catch (cause) {
    // a disk that is full, or a file where another input needs a folder
    const said = 'the inputs cannot be laid out'
    throw new HiveError('TASK_START_FAILED', { said }, { cause })
  }
}

async function write(
  root: string,
  task: SandboxTask,
  image: HeldImage,
  plan: readonly TaskFolder[],
): Promise<Workspace> {
  await using made = new AsyncDisposableStack()
  const folder = await mkdtemp(join(root, 'runs', 'run-'))
  made.defer(() => rm(folder, { recursive: true, force: true }))
  const run = `runs/${basename(folder)}`
  const skeleton = join(folder, 'skeleton')
  const workingDir = posix.normalize(`/${image.config.workingDir}`)
  const targets = plan.map(({ target }) => target)
  const isMissing = await isMissingIn(image.path, workingDir)
  for (const path of isMissing ? [...targets, workingDir] : targets) await mkdirs(skeleton, path)
  const inputs = plan.filter((one) => !one.isOutput)
  const secret: TarMember[] = []
  for (const [at, one] of inputs.entries()) {
    const inside = targets
      .filter((path) => path.startsWith(`${one.target}/`))
      .map((path) => path.slice(one.target.length + 1))
    if (one.isSecret) secret.push(...secretMembers(`in${at}`, one, inside))
    else {
      await writeFiles(join(folder, `in${at}`), one, 0)
      for (const path of inside) await mkdirs(join(folder, `in${at}`), path)
    }
  }
  const output = plan.find((one) => one.isOutput)
  const hasGiven = output !== undefined && output.files.length > 0
  if (hasGiven) await writeFiles(join(folder, 'given'), output, JOB_UID)
  const scratch = scratchOptions(task.limits.diskBytes)
  const hasTmp = targets.includes('/tmp')
  const lower = [`${run}/skeleton`, BASE, `images/${basename(image.path)}`].join(':')
  const lines = [
    `tmpfs ${STAGE} tmpfs ${STAGE_OPTIONS}`,
    `overlay ${STAGE_ROOT} overlay ro,lowerdir=${lower},X-mount.mkdir`,
    `tmpfs ${STAGE_OUT} tmpfs ${scratch},X-mount.mkdir`,
    ...(hasTmp ? [] : [`tmpfs ${STAGE_TMP} tmpfs ${scratch},X-mount.mkdir`]),
    ...inputs.map((one, at) =>
      one.isSecret
        ? `tmpfs ${STAGE}/in${at} tmpfs ${secretOptions(one.files)},X-mount.mkdir`
        : `${run}/in${at} ${STAGE}/in${at} none bind,ro,X-mount.mkdir`,
    ),
  ]
  await writeFile(join(folder, 'fstab'), `${lines.join('\n')}\n`)
  const stdin = await stdinOf(task, folder)
  if (stdin !== undefined) made.use(stdin)
  const bindings = [
    ...(hasTmp ? [] : [{ source: STAGE_TMP, target: '/tmp', isWritable: true }]),
    ...inputs.map(({ target }, at) => ({
      source: `${STAGE}/in${at}`,
      target,
      isWritable: false,
    })),
    { source: STAGE_OUT, target: task.outputs, isWritable: true },
  ]
  const owned = made.move()
  return {
    folder,
    mounts: `${run}/fstab`,
    given: hasGiven ? `${run}/given` : '',
    secret: secret.length > 0 ? Buffer.concat([...writeTar(secret)]) : undefined,
    // a folder before those inside it
    bindings: bindings.toSorted((a, b) => a.target.length - b.target.length),
    workingDir,
    stdin,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A folder as it is unpacked on the stage, with places for what is mounted inside it. */
function secretMembers(
  name: string,
  plan: TaskFolder,
  inside: readonly string[],
): readonly TarMember[] {
  const members = membersOf(plan)
  const known = new Set(members.map(({ path }) => path))
  const places = inside
    .flatMap((path) => path.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/')))
    .filter((path) => !known.has(path))
  const folders = [...new Set(places)].map((path) => ({ path, owner: 0, mode: 0o755 }))
  return [...members, ...folders].map((member) => ({ ...member, path: `${name}/${member.path}` }))
}

/** Files with the folders above them. Inputs belong to root, so the job can read and not change them. */
async function writeFiles(folder: string, plan: TaskFolder, owner: number): Promise<void> {
  await mkdirs(folder, '', owner)
  for (const file of plan.files) {
    const path = file.path.slice(plan.target.length)
    await mkdirs(folder, dirname(path), owner)
    const to = join(folder, path)
    await writeFile(to, file.bytes)
    await giveTo(to, 0o644, owner)
  }
}

/** Makes `folder` and `path` below it, for everyone to enter whatever this process's own mask is. */
async function mkdirs(folder: string, path: string, owner = 0): Promise<void> {
  let at = folder
  for (const part of ['', ...path.split('/')]) {
    at = join(at, part)
    const isNew = (await mkdir(at, { recursive: true })) !== undefined
    if (isNew) await giveTo(at, 0o755, owner)
  }
}

async function giveTo(path: string, mode: number, owner: number): Promise<void> {
  await chmod(path, mode)
  if (owner !== 0) await chown(path, owner, owner)
}

/** Whether a folder has to be made; one behind a link of the image's own does not, for we do not follow it. */
async function isMissingIn(image: string, path: string): Promise<boolean> {
  let at = image
  for (const part of path.split('/').filter((one) => one !== '')) {
    at = join(at, part)
    try {
      const found = await lstat(at)
      if (!found.isDirectory()) return false
    } catch {
      return true // not there, which is the question
    }
  }
  return false
}

async function stdinOf(task: SandboxTask, folder: string): Promise<FileHandle | undefined> {
  if (task.stdin.length === 0) return undefined
  const path = join(folder, 'stdin')
  await writeFile(path, task.stdin)
  await giveTo(path, 0o444, 0)
  return await open(path, 'r')
}
