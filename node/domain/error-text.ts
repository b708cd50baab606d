/** One line of what happened and one of what to do; values travel in the error's data. */
export interface ErrorText {
  readonly what: string
  readonly remedy: string
}

/** An entry of a table of errors. */
export function errorText(what: string, remedy: string): ErrorText {
  return { what, remedy }
}
