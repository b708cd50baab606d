// Three computations of different character, for measuring: kernels NAME ROUNDS prints a checksum.
// The same file builds natively, and then says on stderr how much processor time it took, in microseconds.

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef __wasi__
#include <time.h>
#endif

// Dense matrix product: floating point and memory.
enum { N = 160 };
static double a[N][N], b[N][N], c[N][N];
static double matmul(int rounds) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = (double)(i + 2 * j) / N, b[i][j] = (double)(i - j) / N;
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        double sum = 0;
        for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    a[round % N][(round * 7) % N] += c[1][2] / (N * N);
  }
  return c[3][5] + a[1][7];
}

// SHA-256 over a buffer, chained: integers, rotations, one long basic block.
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))
static void compress(uint32_t state[8], const unsigned char *block) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++)
    w[i] = (ROTR(w[i - 2], 17) ^ ROTR(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
           (ROTR(w[i - 15], 7) ^ ROTR(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = s[7] + (ROTR(s[4], 6) ^ ROTR(s[4], 11) ^ ROTR(s[4], 25)) +
                  ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    uint32_t t2 = (ROTR(s[0], 2) ^ ROTR(s[0], 13) ^ ROTR(s[0], 22)) +
                  ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}
static double sha256(int rounds) {
  static unsigned char block[64];
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (int round = 0; round < rounds; round++) {
    memcpy(block, state, 32);
    compress(state, block);
  }
  return state[0];
}

// Planets around a sun: floating point with square roots and short loops.
enum { BODIES = 5 };
static double nbody(int rounds) {
  double x[BODIES][3], v[BODIES][3], m[BODIES];
  for (int i = 0; i < BODIES; i++) {
    m[i] = i == 0 ? 40 : 0.01 * i;
    for (int d = 0; d < 3; d++) x[i][d] = i * (d + 1.5) - d, v[i][d] = 0.3 * i - 0.2 * d;
  }
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
        double r2 = dx * dx + dy * dy + dz * dz;
        double f = 0.001 / (r2 * sqrt(r2));
        v[i][0] -= dx * m[j] * f, v[i][1] -= dy * m[j] * f, v[i][2] -= dz * m[j] * f;
        v[j][0] += dx * m[i] * f, v[j][1] += dy * m[i] * f, v[j][2] += dz * m[i] * f;
      }
    for (int i = 0; i < BODIES; i++)
      for (int d = 0; d < 3; d++) x[i][d] += 0.001 * v[i][d];
  }
  return x[0][0] + x[1][1] + x[2][2];
}

// A sieve: integers, tight loops, memory.
static double sieve(int rounds) {
  enum { LIMIT = 200000 };
  static unsigned char composite[LIMIT];
  int primes = 0;
  for (int round = 0; round < rounds; round++) {
    memset(composite, 0, LIMIT);
    for (int i = 2; i < LIMIT; i++) {
      if (composite[i]) continue;
      primes++;
      for (int j = 2 * i; j < LIMIT; j += i) composite[j] = 1;
    }
  }
  return primes;
}

// Recursion: nothing but calls.
static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static double calls(int rounds) {
  double sum = 0;
  for (int round = 0; round < rounds; round++) sum += fib(20 + round % 3);
  return sum;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    double (*run)(int);
  } kernels[] = {
      {"matmul", matmul}, {"sha256", sha256}, {"nbody", nbody}, {"sieve", sieve}, {"calls", calls}};
  for (size_t i = 0; argc > 2 && i < sizeof kernels / sizeof *kernels; i++)
    if (!strcmp(argv[1], kernels[i].name)) {
      printf("%.17g\n", kernels[i].run(atoi(argv[2])));
#ifndef __wasi__
      fprintf(stderr, "%.0f\n", clock() * (1e6 / CLOCKS_PER_SEC));
#endif
      return 0;
    }
  return 2;
}
