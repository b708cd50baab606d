// The scene: a field of hexagonal columns one unit apart, some open and filled with honey or light.
#ifndef HIVE_H
#define HIVE_H

#include "sampler.h"
#include "vec.h"

#define FIELD 64        // cells along each axis of the table
#define CEILING 1.9f    // above every column, so that rays may skip the air
#define BEVEL 0.055f    // width of the chamfer around each column
#define APOTHEM 0.385f  // inner size of an open cell; a column's own is 0.5
#define LIP 0.03f       // rounding of the rim of an open cell
#define BRIM 0.07f      // how far below the rim the honey stands
#define DEPTH 0.55f     // of the honey
#define GROOVE 0.37f    // where a cap is engraved, and the half width of the line
#define GROOVE_WIDTH 0.016f
#define ROOT3 1.7320508f

typedef enum { CAPPED, HONEY, GLOW } kind;
typedef enum { METAL, LIQUID, LAMP } matter;

typedef struct {
  float height, floor; // of the column's top and, in an open cell, of what fills it
  float roughness, warmth; // warmth: how much the honey glows from below
  vec middle, tint, tilt;
  kind kind;
  int lamp; // index of the light in a GLOW cell
} cell;

typedef struct {
  float t;
  vec normal; // shading normal, towards the side the ray came from
  matter matter;
  const cell *cell;
  float edge; // distance from the cell's middle, 0 to 0.5
} hit;

static cell field[FIELD][FIELD];

// The lit cells, placed by hand for the composition: column, row, and depth under the rim.
static const struct { int q, r; float sink; } lit[] = {
  {-1, 1, 0.12f}, {2, 0, 0.35f}, {-3, 3, 0.30f}, {1, 3, 0.12f}, {-2, -1, 0.35f}, {3, 3, 0.25f},
  {-6, 5, 0.12f}, {-1, 6, 0.25f}, {-4, 9, 0.12f}, {3, 7, 0.12f}, {-9, 9, 0.2f}, {6, 1, 0.12f},
};
#define LAMPS ((int)(sizeof lit / sizeof lit[0]))
static vec lamp_at[LAMPS];

static inline cell *cell_at(int q, int r) { return &field[r + FIELD / 2][q + FIELD / 2]; }
// The three directions across a hexagon's faces; the neighbours lie along them.
static inline vec across(int k) {
  return k == 0 ? v3(1, 0, 0) : v3(k == 1 ? 0.5f : -0.5f, 0, ROOT3 / 2);
}

static void build_hive(void) {
  static const vec gold = {1.0f, 0.60f, 0.20f}, copper = {0.93f, 0.42f, 0.20f},
                   steel = {0.13f, 0.14f, 0.17f};
  for (int r = -FIELD / 2; r < FIELD / 2; r++) {
    for (int q = -FIELD / 2; q < FIELD / 2; q++) {
      uint32_t h = hash((uint32_t)(q * 7919 + r * 104729 + 77));
      float a = to_unit(h), b = to_unit(hash(h));
      float c = to_unit(hash(h + 1)), d = to_unit(hash(h + 2));
      vec p = v3(q + r * 0.5f, 0, r * (ROOT3 / 2));
      cell *it = cell_at(q, r);
      it->middle = p;
      float swell = sinf(p.x * 0.55f + p.z * 0.25f) + cosf(p.z * 0.6f - p.x * 0.2f + 1);
      it->height = 0.85f + 0.17f * swell + 0.6f * (a - 0.5f);
      it->kind = b < 0.30f ? HONEY : CAPPED;
      it->tint = it->kind == HONEY ? gold : c < 0.30f ? gold : c < 0.40f ? copper : steel;
      it->roughness = 0.09f + 0.19f * d;
      it->warmth = 0.12f + 0.9f * a * a;
      float east = to_unit(hash(h + 3)) - 0.5f, north = to_unit(hash(h + 4)) - 0.5f;
      it->tilt = v3(east * 0.09f, 0, north * 0.09f);
      it->floor = it->height - BRIM;
    }
  }
  for (int i = 0; i < LAMPS; i++) {
    cell *it = cell_at(lit[i].q, lit[i].r);
    it->kind = GLOW;
    it->tint = gold;
    it->floor = it->height - lit[i].sink;
    it->lamp = i;
    lamp_at[i] = it->middle;
    lamp_at[i].y = it->floor;
  }
}

static inline float hex_distance(vec p) {
  return fmaxf(fabsf(p.x), fmaxf(fabsf(dot(p, across(1))), fabsf(dot(p, across(2)))));
}

// What a ray meets inside an open cell: a wall, the level below, or nothing when it leaves by the
// level above. Coordinates are relative to the cell's middle.
typedef enum { MOUTH, WALL, BOTTOM } inner;

static inner inside_well(vec o, vec d, float low, float high, hit *h) {
  float t = d.y < 0 ? (low - o.y) / d.y : d.y > 0 ? (high - o.y) / d.y : 1e9f;
  inner what = d.y < 0 ? BOTTOM : MOUTH;
  h->normal = v3(0, what == BOTTOM ? 1 : -1, 0);
  for (int k = 0; k < 3; k++) {
    float speed = dot(d, across(k));
    float to = (copysignf(APOTHEM, speed) - dot(o, across(k))) / speed;
    if (to < t) {
      t = to, what = WALL;
      h->normal = scale(across(k), speed > 0 ? -1 : 1);
    }
  }
  h->t = fmaxf(t, 0);
  return what;
}

static inner enter_well(vec o, vec d, const cell *c, hit *h) {
  inner what = inside_well(o, d, c->floor, c->height, h);
  h->matter = what != BOTTOM ? METAL : c->kind == HONEY ? LIQUID : LAMP;
  h->edge = hex_distance(mad(o, d, h->t));
  return what;
}

// The normal on a column's flat top, bent at the rim of an open cell and in the groove of a cap.
static vec top_normal(const cell *c, vec p, float edge) {
  float into = c->kind == CAPPED ? (edge - GROOVE) / GROOVE_WIDTH : (edge - APOTHEM) / LIP;
  if (into < -1 || into > 1) return v3(0, 1, 0);
  float turn = c->kind == CAPPED ? sinf(into * PI) * 0.45f : 0.7f * (into - 1);
  for (int k = 0; k < 3; k++) {
    float on = dot(p, across(k));
    if (fabsf(on) >= edge) return mad(v3(0, 1, 0), across(k), on > 0 ? turn : -turn);
  }
  return v3(0, 1, 0);
}

// The bevelled top of one column: a convex body, so the last plane entered is the one that is hit.
// `on` and `speed` are the ray's place and pace along the three directions across.
static int strike_top(vec o, vec d, const float *on, const float *speed, const cell *c, float from,
                      float to, hit *h) {
  float enter = from, room = 0.5f + c->height - BEVEL - o.y;
  int flat = 0, slope = -1;
  if (d.y < 0) {
    float t = (c->height - o.y) / d.y;
    if (t > enter) enter = t, flat = 1;
  }
  for (int k = 0; k < 6; k++) {
    float sign = k < 3 ? 1 : -1, pace = d.y + sign * speed[k % 3], gap = room - sign * on[k % 3];
    if (pace < 0) {
      if (gap < enter * pace) enter = gap / pace, flat = 0, slope = k;
    } else if (gap < to * pace) {
      to = gap / pace;
    }
  }
  if (enter >= to || !(flat || slope >= 0)) return 0;
  vec p = mad(o, d, enter), normal;
  h->edge = hex_distance(p);
  if (flat) {
    if (c->kind != CAPPED && h->edge < APOTHEM) {
      enter_well(p, d, c, h);
      h->t += enter;
      return 1;
    }
    normal = top_normal(c, p, h->edge);
  } else {
    // Rounded in shading only: the normal turns from upright to sideways down the chamfer.
    vec side = scale(across(slope % 3), slope < 3 ? 1 : -1);
    normal = mix(v3(0, 1, 0), side, clampf((c->height - p.y) / BEVEL, 0, 1));
  }
  h->t = enter;
  h->normal = unit(add(normal, c->tilt));
  h->matter = METAL;
  return 1;
}

// The cell that holds a point, by rounding its three skewed coordinates.
static void find_cell(vec p, int *q, int *r) {
  float rf = p.z * (2 / ROOT3), qf = p.x - rf * 0.5f, sf = -qf - rf;
  float qr = floorf(qf + 0.5f), rr = floorf(rf + 0.5f), sr = floorf(sf + 0.5f);
  float dq = fabsf(qr - qf), dr = fabsf(rr - rf), ds = fabsf(sr - sf);
  if (dq > dr && dq > ds) qr = -rr - sr;
  else if (dr > ds) rr = -qr - sr;
  *q = (int)qr, *r = (int)rr;
}

// The nearest surface along a ray in the air, walking from cell to cell. Returns 0 for the sky.
static int strike(vec o, vec d, hit *h) {
  float t = 0;
  if (o.y > CEILING) {
    if (d.y >= 0) return 0;
    t = (CEILING - o.y) / d.y;
  }
  int q, r;
  find_cell(mad(o, d, t), &q, &r);
  float on[3], speed[3], per[3];
  int step[3];
  for (int k = 0; k < 3; k++) {
    speed[k] = dot(d, across(k));
    if (fabsf(speed[k]) < 1e-7f) speed[k] = 1e-7f;
    per[k] = 1 / speed[k];
    step[k] = speed[k] > 0 ? 1 : -1;
    on[k] = dot(o, across(k));
  }
  for (int face = -1;;) { // the face we came through; none in the first cell
    if (q < -FIELD / 2 || q >= FIELD / 2 || r < -FIELD / 2 || r >= FIELD / 2) return 0;
    const cell *c = cell_at(q, r);
    float here[3] = {on[0] - (q + 0.5f * r), on[1] - (0.5f * q + r), on[2] - 0.5f * (r - q)};
    float leave = (0.5f * step[0] - here[0]) * per[0];
    int next = 0;
    for (int k = 1; k < 3; k++) {
      float to = (0.5f * step[k] - here[k]) * per[k];
      if (to < leave) leave = to, next = k;
    }
    float y = o.y + d.y * t, y_out = o.y + d.y * leave;
    if (fminf(y, y_out) < c->height) {
      vec local = sub(o, c->middle);
      h->cell = c;
      if (face >= 0 && y < c->height - BEVEL) {
        h->t = t;
        h->normal = scale(across(face), (float)-step[face]);
        h->matter = METAL;
        h->edge = 0.5f;
        return 1;
      }
      if (face < 0 && c->kind != CAPPED && y < c->height && y >= c->floor - 1e-3f &&
          hex_distance(mad(local, d, t)) < APOTHEM) {
        if (enter_well(local, d, c, h) != MOUTH) return 1;
      } else if (strike_top(local, d, here, speed, c, t, leave, h)) {
        return 1;
      }
    }
    if (y_out > CEILING) return 0;
    t = leave;
    face = next;
    if (face != 1) q += face == 0 ? step[0] : -step[2];
    if (face != 0) r += step[face];
  }
}

#endif
