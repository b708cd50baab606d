/** EPERM: what a refused call answers. */
export const EPERM = 1
/** ENOSYS: what a call answers so that a C library falls back to an older one. */
export const ENOSYS = 38
/** AF_UNIX, AF_INET and AF_INET6. Left out: netlink, packet, vsock (it leads out of a virtual machine), AF_ALG. */
export const SOCKET_FAMILIES: readonly number[] = [1, 2, 10]
/** Every CLONE_NEW… flag that clone(2) takes. Source: linux/sched.h. */
export const NAMESPACE_FLAGS = 0x7e020000
/** CLONE_THREAD, without which clone(2) makes a process. Source: linux/sched.h. */
export const THREAD_FLAG = 0x00010000

/** What a program may ask of the kernel. */
export interface CallRules {
  /** Calls by name; everything else is refused. */
  readonly allowed: readonly string[]
  readonly socketFamilies: readonly number[]
  /** Whether it may make processes, not only threads. */
  readonly mayFork: boolean
}

/**
 * What a job may ask of the kernel; everything else is refused. Left out on purpose: io_uring, bpf, keyctl, ptrace and
 * process_vm, userfaultfd, perf_event_open, mount and pivot_root, unshare and setns, clocks' setters, modules, kexec,
 * reboot, swap, quota, open_by_handle_at, fanotify, memory policy, message queues, chroot, personality changes, and sync,
 * which would make the whole host wait for its disks.
 */
export const ALLOWED_CALLS: readonly string[] = `
  _llseek access alarm arch_prctl bind accept accept4 brk cachestat capget capset chdir chmod chown chown32
  clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range
  connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
  fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64
  fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
  ftruncate ftruncate64 futex futex_time64 futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd
  getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
  getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch
  inotify_init inotify_init1 inotify_rm_watch ioctl ioprio_get kill landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek
  lsetxattr lstat lstat64 madvise membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2
  mprotect mremap msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause
  pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64
  preadv preadv2 prlimit64 pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat
  readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg removexattr rename renameat renameat2 restart_syscall rmdir
  rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
  semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
  set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
  setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32
  setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
  sigprocmask sigreturn socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync_file_range sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
  timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
  times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat utime utimensat utimensat_time64 utimes
  vfork vmsplice wait4 waitid waitpid write writev
`
  .trim()
  .split(/\s+/)
/** Arguments that personality(2) may have: 0xffffffff only asks, 0 is the ordinary Linux one. */
export const PERSONAS: readonly number[] = [0, 0xffffffff]

/** The rules for a job. */
export const JOB_CALLS: CallRules = {
  allowed: ALLOWED_CALLS,
  socketFamilies: SOCKET_FAMILIES,
  mayFork: true,
}
