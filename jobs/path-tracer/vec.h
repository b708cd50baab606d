// Three floats, used for points, directions and linear colours alike.
#ifndef VEC_H
#define VEC_H

#include <math.h>

#define PI 3.14159265f

typedef struct {
  float x, y, z;
} vec;

static inline vec v3(float x, float y, float z) { return (vec){x, y, z}; }
static inline vec add(vec a, vec b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline vec sub(vec a, vec b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline vec mul(vec a, vec b) { return v3(a.x * b.x, a.y * b.y, a.z * b.z); }
static inline vec scale(vec a, float s) { return v3(a.x * s, a.y * s, a.z * s); }
static inline vec mad(vec a, vec d, float t) { return add(a, scale(d, t)); }
static inline float dot(vec a, vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline vec unit(vec a) { return scale(a, 1 / sqrtf(dot(a, a))); }
static inline vec mix(vec a, vec b, float t) { return mad(scale(a, 1 - t), b, t); }
static inline vec reflect(vec d, vec n) { return mad(d, n, -2 * dot(d, n)); }
static inline float peak(vec a) { return fmaxf(a.x, fmaxf(a.y, a.z)); }
static inline float clampf(float x, float lo, float hi) { return fminf(fmaxf(x, lo), hi); }
static inline vec cross(vec a, vec b) {
  return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

// An orthonormal frame around n, so that x * t + y * b + z * n leaves the local space.
typedef struct {
  vec t, b, n;
} frame;

static inline frame frame_of(vec n) {
  vec t = unit(cross(fabsf(n.y) < 0.9f ? v3(0, 1, 0) : v3(1, 0, 0), n));
  return (frame){t, cross(n, t), n};
}
static inline vec to_world(frame f, vec a) {
  return mad(mad(scale(f.t, a.x), f.b, a.y), f.n, a.z);
}
static inline vec to_local(frame f, vec a) { return v3(dot(a, f.t), dot(a, f.b), dot(a, f.n)); }

#endif
