// The programs of the sandbox suite, chosen by the first argument, and some that misbehave.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int echo(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf(i > 1 ? " %s" : "%s", argv[i]);
  puts("");
  fflush(stdout);
  const char *greeting = getenv("GREETING");
  fprintf(stderr, "%s\n", greeting ? greeting : "");
  return argc > 0 ? atoi(argv[0]) : 0;
}

static int copy_fd(int from, int to) {
  static char buffer[65536];
  ssize_t n;
  while ((n = read(from, buffer, sizeof buffer)) > 0)
    for (ssize_t done = 0, put; done < n; done += put)
      if ((put = write(to, buffer + done, (size_t)(n - done))) < 0) return 1;
  return n < 0;
}

static int copy(const char *from, const char *to) {
  int in = open(from, O_RDONLY);
  if (in < 0) return fprintf(stderr, "%s: %s\n", from, strerror(errno)), 1;
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (out < 0) return fprintf(stderr, "%s: %s\n", to, strerror(errno)), 1;
  return copy_fd(in, out);
}

static int nap(const char *ms) {
  long n = atol(ms);
  struct timespec t = {.tv_sec = n / 1000, .tv_nsec = n % 1000 * 1000000};
  write(1, "before\n", 7);
  nanosleep(&t, NULL);
  write(1, "after\n", 6);
  return 0;
}

static char *volatile kept; // or else the compiler sees that nobody looks at the memory
static void hog(void) {
  const size_t step = 1 << 20;
  for (;;) {
    kept = malloc(step);
    if (!kept) abort();
    memset(kept, 1, step);
  }
}

// Bytes of disk until the end, by one growing file.
static int fill(const char *path) {
  static char block[65536];
  int out = open(path, O_WRONLY | O_CREAT, 0666);
  while (out >= 0 && write(out, block, sizeof block) > 0) {
  }
  return 3;
}

// Names on disk until the end, by empty files.
static int litter(void) {
  char path[32];
  for (int i = 0;; i++) {
    snprintf(path, sizeof path, "/out/%d", i);
    int out = open(path, O_WRONLY | O_CREAT, 0666);
    if (out < 0) return 3;
    close(out);
  }
}

static volatile int depth;
static int deep(int n) {
  volatile char frame[256] = {(char)n};
  depth = n;
  return deep(n + 1) + frame[n % 256];
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "echo")) return echo(argc - 2, argv + 2);
  if (!strcmp(what, "cat")) return copy_fd(0, 1);
  if (!strcmp(what, "copy") && argc > 3) return copy(argv[2], argv[3]);
  if (!strcmp(what, "sleep") && argc > 2) return nap(argv[2]);
  if (!strcmp(what, "fill") && argc > 2) return fill(argv[2]);
  if (!strcmp(what, "litter")) return litter();
  if (!strcmp(what, "deep")) return deep(0);
  if (!strcmp(what, "trap")) __builtin_trap();
  if (!strcmp(what, "hog")) hog();
  for (volatile uint32_t i = 0; !strcmp(what, "spin"); i++) {
  }
  while (!strcmp(what, "flood")) write(1, "and again and again and again and again\n", 40);
  // A line, and then a computation that never calls out again.
  if (!strcmp(what, "line-then-spin")) {
    write(1, "one\n", 4);
    write(1, "two\n", 4);
    for (volatile uint32_t i = 0;; i++) {
    }
  }
  return 0;
}
