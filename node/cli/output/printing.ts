import type { Output } from '../parts.ts'

/** Resolves when the chunk has left this process. */
export async function print(output: Output, chunk: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(chunk, (error) => {
      if (error === null || error === undefined) resolve()
      else reject(error)
    })
  })
}

/** One JSON document, or one line of NDJSON where several follow each other. */
export async function printJson(output: Output, value: unknown): Promise<void> {
  await print(output, `${JSON.stringify(value)}\n`)
}

/** One line. */
export async function printLine(output: Output, line = ''): Promise<void> {
  await print(output, `${line}\n`)
}
