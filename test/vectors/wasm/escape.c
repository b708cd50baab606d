// Tries to get out of its file tree in every way that has worked against some WASI host:
// prints each attempt with what came of it, and exits with the number that succeeded.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

static int escapes;

static void report(const char *attempt, int worked) {
  printf("%s: %s\n", attempt, worked ? "WORKED" : strerror(errno));
  escapes += worked != 0;
}

static void reads(const char *path) {
  int fd = open(path, O_RDONLY);
  report(path, fd >= 0);
  if (fd >= 0) close(fd);
}

// Past libc, which tidies paths: straight into the host.
static void raw(__wasi_fd_t dir, const char *path) {
  __wasi_fd_t fd;
  __wasi_errno_t e = __wasi_path_open(dir, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0,
                                      __WASI_RIGHTS_FD_READ, 0, 0, &fd);
  errno = e;
  report(path, e == 0);
}

int main(void) {
  report("symlink .", symlink(".", "/out/dot") == 0);
  report("symlink dot/..", symlink("dot/..", "/out/up1") == 0);
  report("symlink up1/..", symlink("up1/..", "/out/up2") == 0);
  report("symlink /", symlink("/", "/out/root") == 0);
  report("link", link("/etc/passwd", "/out/passwd") == 0);
  reads("/etc/passwd");
  reads("/out/up2/etc/passwd");
  reads("/out/root/etc/passwd");
  reads("../../../../../../etc/passwd");
  reads("/proc/self/environ");
  reads("/dev/null");
  raw(3, "../etc/passwd");
  raw(3, "out/../../etc/passwd");
  raw(3, "/etc/passwd");
  raw(3, "./out/./.././../etc/passwd");
  raw(3, "out//..//..//etc/passwd");
  int out = open("/out", O_RDONLY | O_DIRECTORY);
  raw((__wasi_fd_t)out, "..");
  raw((__wasi_fd_t)out, "../etc/passwd");
  for (__wasi_fd_t fd = 0; fd < 100; fd++)
    if (fd != 3 && fd != (__wasi_fd_t)out) {
      __wasi_fd_t got;
      if (__wasi_path_open(fd, 0, "etc", 0, 0, 0, 0, &got) == 0) report("another directory", 1);
    }
  report("rename over the root", rename("/out", "/out/inside") == 0);
  printf("%d\n", escapes);
  return escapes;
}
