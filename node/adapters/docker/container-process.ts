import { readFile } from 'node:fs/promises'

/**
 * Ends a program that the engine says runs in a container, with its group. gVisor has the processes to itself: what is
 * ended there is the command that brings the program its input and takes its output, and the program may go on until its
 * task ends. A number that is no process of the container's on this machine is left alone: the engine
 * may count elsewhere, and the kernel gives numbers out again.
 */
export async function endProcess(pid: number, container: string): Promise<void> {
  if (await isProcessOf(pid, container)) {
    if (!signal(-pid)) signal(pid)
  } else if (pid > 1 && (await read(`/proc/${pid}/cmdline`)).includes(container)) {
    signal(pid)
  }
}

/** Whether a number is that of a process in the container, on this machine and now. */
export async function isProcessOf(pid: number, container: string): Promise<boolean> {
  return pid > 1 && (await read(`/proc/${pid}/cgroup`)).includes(container)
}

function signal(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // gone, which was wanted, or no group's number
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return '' // no such process
  }
}
