import { ALLOWED_CALLS, type CallRules } from '../confinement/system-calls.ts'

/**
 * What a job may ask of the kernel and a runner of WASM modules need not: it is one process that computes in threads,
 * and talks over a channel that was open when it came. By idea: sockets, processes and what reaches them, memory and
 * semaphores shared with other programs, other users, names and attributes of files, and watching them.
 */
const NOT_NEEDED: ReadonlySet<string> = new Set(
  `
  socket socketpair bind connect listen accept accept4
  fork vfork pidfd_open pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo setpgid setsid
  shmat shmctl shmdt shmget semctl semget semop semtimedop semtimedop_time64
  capset setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid
  setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
  chmod chown chown32 creat fchmod fchmodat fchmodat2 fchown fchown32 fchownat lchown lchown32 link linkat mkdir
  mkdirat mknod mknodat rename renameat renameat2 rmdir symlink symlinkat truncate truncate64 unlink unlinkat
  fremovexattr fsetxattr lremovexattr lsetxattr removexattr setxattr
  inotify_add_watch inotify_init inotify_init1
  landlock_add_rule landlock_create_ruleset landlock_restrict_self
`
    .trim()
    .split(/\s+/),
)

/** The rules for a runner of WASM modules, and for the bubblewrap around it, which takes them over last. */
export const RUNNER_CALLS: CallRules = {
  allowed: ALLOWED_CALLS.filter((name) => !NOT_NEEDED.has(name)),
  socketFamilies: [],
  mayFork: false,
}
