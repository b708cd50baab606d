// Random numbers that depend on the pixel and the sample alone, never on the tile or the machine.
//
// The first PAIRS pairs of a path are Sobol points, Owen-scrambled and shuffled per pixel: few
// samples then cover the pixel, the lens and the lights evenly. Deeper draws are plain hashes.
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdint.h>

#define PAIRS 12

typedef struct {
  uint32_t pixel, sample, pair;
} sampler;

typedef struct {
  float x, y;
} pair;

static inline uint32_t hash(uint32_t a) {
  a = (a ^ (a >> 16)) * 0x7feb352du;
  a = (a ^ (a >> 15)) * 0x846ca68bu;
  return a ^ (a >> 16);
}

static inline float to_unit(uint32_t a) { return (float)(a >> 8) * 0x1p-24f; }

static inline uint32_t reverse_bits(uint32_t a) {
  a = (a << 16) | (a >> 16);
  a = ((a & 0x00ff00ffu) << 8) | ((a >> 8) & 0x00ff00ffu);
  a = ((a & 0x0f0f0f0fu) << 4) | ((a >> 4) & 0x0f0f0f0fu);
  a = ((a & 0x33333333u) << 2) | ((a >> 2) & 0x33333333u);
  return ((a & 0x55555555u) << 1) | ((a >> 1) & 0x55555555u);
}

// Owen scrambling of a number whose digits are read from the lowest bit up: each step lets a bit
// change only the bits above it.
static inline uint32_t scramble(uint32_t a, uint32_t seed) {
  a += seed;
  a ^= a * 0x6c50b47cu;
  a ^= a * 0xb82f1e52u;
  a ^= a * 0xc7afe638u;
  return a ^ (a * 0x8d22f6e6u);
}

// The second Sobol direction is Pascal's triangle modulo two, a butterfly of five steps.
static inline uint32_t pascal(uint32_t a) {
  a ^= (a >> 1) & 0x55555555u;
  a ^= (a >> 2) & 0x33333333u;
  a ^= (a >> 4) & 0x0f0f0f0fu;
  a ^= (a >> 8) & 0x00ff00ffu;
  return a ^ ((a >> 16) & 0x0000ffffu);
}

static inline pair draw(sampler *s) {
  uint32_t seed = hash(s->pixel ^ (++s->pair * 0x9e3779b9u));
  if (s->pair > PAIRS) {
    seed = hash(seed + s->sample);
    return (pair){to_unit(seed), to_unit(hash(seed ^ 0x68bc21ebu))};
  }
  uint32_t index = reverse_bits(scramble(reverse_bits(s->sample), seed));
  return (pair){to_unit(reverse_bits(scramble(index, hash(seed + 1)))),
                to_unit(reverse_bits(scramble(pascal(index), hash(seed + 2))))};
}

#endif
