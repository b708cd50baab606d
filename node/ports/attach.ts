/** A program to run inside a task that runs. */
export interface ExecProgram {
  /** The program and its arguments; looked for as the task's own is. */
  readonly command: readonly string[]
  /** Variables beside the task's own, of which these win; the task's secret ones are not given to it. */
  readonly env: Readonly<Record<string, string>>
  /** Given: it runs on a terminal of this size. */
  readonly terminal?: TerminalSize
}

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Something that a program printed on stdout, 1, or stderr, 2; on a terminal all of it is 1. */
export interface PrintedPiece {
  readonly stream: 1 | 2
  readonly bytes: Uint8Array
}

/**
 * A program that runs inside a task. Disposal takes its input and output away and ends it, with the processes of its
 * group, where the sandbox has those in its hand; the task's end ends it in any case.
 */
export interface ExecSession extends AsyncDisposable {
  /** What it prints, to its end; for one reader, whom it waits for. Throws SANDBOX_UNAVAILABLE when the engine is gone. */
  readonly output: AsyncIterable<PrintedPiece>
  /**
   * Its exit code, 128 and more for a signal; to be asked for when the output has ended. Throws TASK_NOT_RUNNING when it
   * ended with its task.
   */
  exitCode(): Promise<number>
  /** Gives it input; resolves when more would be taken, or nothing is any more. */
  write(bytes: Uint8Array): Promise<void>
  /** It has no further input. */
  endInput(): Promise<void>
  /** Its terminal has changed; nothing without one. */
  resize(size: TerminalSize): Promise<void>
}

/** A connection to a port inside a task. Disposal closes it. */
export interface TaskConnection extends AsyncDisposable {
  /** What comes from there, to its clean end; for one reader, whom it waits for. Throws STREAM_CUT when it is broken off. */
  readonly incoming: AsyncIterable<Uint8Array>
  /** Resolves when more would be taken, or nothing is any more. */
  write(bytes: Uint8Array): Promise<void>
  /** Nothing more is written; what comes may go on. */
  end(): Promise<void>
}

/** How to start something inside a task. */
export interface AttachOptions {
  readonly signal: AbortSignal
}

/**
 * Ways into the tasks of one sandbox while they run. What comes in by them has the task's own walls, user and limits, and
 * no more rights than its program has. Both throw TASK_NOT_RUNNING, and ATTACH_UNSUPPORTED where a task has no such way.
 */
export interface Attach {
  /** Throws EXEC_FAILED when the program cannot be started. */
  exec(taskId: string, program: ExecProgram, options: AttachOptions): Promise<ExecSession>
  /**
   * Connects to a port on the task's own loopback: to what its programs listen on, and to nothing of this machine.
   * Throws FORWARD_REFUSED when none does.
   */
  connect(taskId: string, port: number, options: AttachOptions): Promise<TaskConnection>
}
