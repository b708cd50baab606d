import { glob, readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import type { Problem } from '../../config/reading.ts'
import { MAX_TASKS } from '../../domain/offer.ts'
import { isSandboxPath } from '../../protocol/job-spec-codec.ts'
import { MAX_FILE_BYTES, MAX_IMAGE_BYTES } from '../../protocol/limits.ts'
import type { DraftFile, DraftProgram, JobDraft } from './draft.ts'
import { formOf, nameFault } from './image-name.ts'
import type { JobDocument } from './job-reader.ts'

/** Folder in which a task of `map` finds its file. */
export const INPUT_FOLDER = '/in'

/** The files of a job on this machine; what is wrong with them goes to the two lists. */
export async function resolveFiles(
  job: JobDocument,
  folder: string,
  problems: Problem[],
  missing: Problem[],
): Promise<Pick<JobDraft, 'program' | 'files' | 'stdin' | 'inputs'>> {
  const at = (path: string) => resolve(folder, path)
  const check = async (path: string, source: string, maxBytes: number) => {
    const size = await sizeOf(source)
    if (size === undefined) missing.push({ path, text: `cannot read ${source}` })
    else if (size > maxBytes)
      problems.push({ path, text: `${source} has ${size} bytes, more than ${maxBytes}` })
  }
  const program = programOf(job, at)
  if (program.from === 'module' && job.module !== undefined)
    await check('module', program.source, MAX_IMAGE_BYTES)
  if (program.from === 'file' && !(await isThere(program.source))) {
    const fault = nameFault(job.image ?? '')
    const text = `cannot read ${program.source}`
    if (fault === undefined) missing.push({ path: 'image', text })
    else problems.push({ path: 'image', text: fault })
  }
  if (job.stdin !== undefined) await check('stdin', at(job.stdin), MAX_FILE_BYTES)
  const files: DraftFile[] = []
  for (const [path, source] of Object.entries(job.files)) {
    for (const file of await filesUnder(path, at(source))) {
      await check(`files.${path}`, file.source, MAX_FILE_BYTES)
      files.push(file)
    }
  }
  const inputs = job.map === undefined ? [] : await inputsOf(job.map, folder, problems)
  for (const { files: own } of inputs)
    for (const { source } of own) await check('map', source, MAX_FILE_BYTES)
  return { program, files, stdin: job.stdin === undefined ? undefined : at(job.stdin), inputs }
}

/** The program, by whatever name it has; images of this machine are read when they are uploaded. */
function programOf(
  { image, module = '' }: JobDocument,
  at: (path: string) => string,
): DraftProgram {
  const from = image === undefined ? 'module' : formOf(image)
  const named = image ?? module
  if (from === 'module' || from === 'file')
    return { from, path: `/${basename(at(named)) || 'root'}`, source: at(named) }
  return { from, path: from === 'registry' ? `/${named}` : `/${basename(named)}`, source: named }
}

/** One task for each file that a pattern finds, in the order of their names. */
async function inputsOf(
  patterns: readonly string[],
  folder: string,
  problems: Problem[],
): Promise<JobDraft['inputs']> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const before = found.size
    for await (const path of glob(pattern, { cwd: folder })) {
      const source = resolve(folder, path)
      if ((await stat(source)).isFile()) found.add(source)
    }
    if (found.size === before) problems.push({ path: 'map', text: `${pattern} finds no new file` })
  }
  if (found.size > MAX_TASKS)
    problems.push({ path: 'map', text: `finds ${found.size} files, more than ${MAX_TASKS}` })
  const sources = [...found].sort((a, b) => (a < b ? -1 : 1)).slice(0, MAX_TASKS)
  const names = new Set<string>()
  for (const source of sources) {
    const name = basename(source)
    if (names.has(name)) problems.push({ path: 'map', text: `finds two files named ${name}` })
    if (!isSandboxPath(`${INPUT_FOLDER}/${name}`))
      problems.push({ path: 'map', text: `${JSON.stringify(name)} cannot be a name in a sandbox` })
    names.add(name)
  }
  return sources.map((source) => ({
    name: basename(source),
    files: [{ path: `${INPUT_FOLDER}/${basename(source)}`, source }],
  }))
}

/** The file itself, or every file below a folder. */
async function filesUnder(path: string, source: string): Promise<DraftFile[]> {
  const isFolder = await stat(source).then(
    (found) => found.isDirectory(),
    () => false, // missing: the check says so
  )
  if (!isFolder) return [{ path, source }]
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => ({
      path: `${path}/${relative(source, file).split(sep).join('/')}`,
      source: file,
    }))
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch {
    // Missing or out of reach: reported with its path.
    return undefined
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false, // missing or out of reach: reported with its path
  )
}
