// Tells everything that differs from machine to machine and from run to run, where a host lets it.

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void bits(const char *what, double value) {
  uint64_t raw;
  memcpy(&raw, &value, sizeof raw);
  printf("%s %016llx\n", what, (unsigned long long)raw);
}

static void now(const char *what, clockid_t id) {
  struct timespec t = {0};
  clock_gettime(id, &t);
  printf("%s %lld.%09ld\n", what, (long long)t.tv_sec, t.tv_nsec);
}

static volatile double zero, infinite = INFINITY;
static volatile float small;

static volatile int depth;
static int deep(int n) {
  volatile char frame[16] = {(char)n};
  depth = n;
  return deep(n + 1) + frame[n % 16];
}

int main(int argc, char **argv) {
  unsigned char random[40];
  getentropy(random, sizeof random);
  for (size_t i = 0; i < sizeof random; i++) printf("%02x", random[i]);
  printf("\n");
  now("realtime", CLOCK_REALTIME);
  now("monotonic", CLOCK_MONOTONIC);
  fflush(stdout);
  nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
  now("an hour later", CLOCK_REALTIME);
  bits("0/0", zero / zero);
  bits("inf-inf", infinite - infinite);
  bits("sqrt(-1)", sqrt(zero - 1));
  bits("(float) 0/0", small / small);
  bits("kept", zero * infinite + 1);
  for (int i = 0; i < argc; i++) printf("[%s]\n", argv[i]);
  int file = open("/out/made", O_WRONLY | O_CREAT, 0666);
  write(file, random, sizeof random);
  close(file);
  struct stat made;
  stat("/out/made", &made);
  printf("made %lld.%09ld\n", (long long)made.st_mtim.tv_sec, made.st_mtim.tv_nsec);
  DIR *root = opendir("/");
  for (struct dirent *entry; (entry = readdir(root));) printf("%s\n", entry->d_name);
  fflush(stdout);
  return argc > 1 && !strcmp(argv[1], "deep") ? deep(0) : 0;
}
