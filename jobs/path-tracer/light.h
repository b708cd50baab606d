// How light travels: one path from the lens into the hive, gathering what reaches it.
#ifndef LIGHT_H
#define LIGHT_H

#include "hive.h"

#define BOUNCES 6
#define NEAR 8.0f // where the haze begins
#define HONEY_INDEX 1.47f
#define LAMP_AREA (2 * ROOT3 * APOTHEM * APOTHEM)
#define SUN_COS 0.975f // of the half angle of the soft key light
// Lamps look dimmer than they shine, so that they keep their colour on film.
#define LAMP_SEEN 0.30f

static const vec sun_colour = {11.0f, 8.2f, 5.4f};
static const vec haze = {0.02f, 0.025f, 0.045f};
static vec sun_at;
static frame sun_frame;

static void build_light(void) {
  sun_at = unit(v3(-0.42f, 0.50f, 0.90f));
  sun_frame = frame_of(sun_at);
}

static vec sky(vec d) {
  float up = clampf(d.y, 0, 1), low = (1 - up) * (1 - up), west = clampf(dot(d, sun_at), 0, 1);
  vec dome = mix(v3(0.02f, 0.05f, 0.12f), v3(0.10f, 0.10f, 0.16f), low);
  dome = mad(dome, v3(1.7f, 0.88f, 0.40f), west * west * west * west * west * west);
  // A long cool softbox on the right gives every polished top a second edge of light.
  float box = clampf((d.x - 0.35f) * 4, 0, 1) * clampf((d.y - 0.15f) * 5, 0, 1);
  return mad(dome, v3(0.13f, 0.31f, 0.50f), box);
}

static vec lamp_colour(float edge) {
  float x = edge / APOTHEM;
  return mix(v3(16.0f, 8.2f, 2.0f), v3(5.4f, 1.45f, 0.09f), x);
}

// ---- Rough metal: GGX, its visible normals sampled (Heitz 2018) ----

static float smith(float z, float a2) { return 0.5f * (sqrtf(a2 + (1 - a2) * z * z) / z - 1); }

typedef struct {
  frame f;
  vec out; // towards where we came from, local
  vec tint;
  float alpha, lambda;
} metal;

// Metal seen in metal is blurred further, which nobody notices but the noise.
static metal metal_of(vec n, vec d, const cell *c, int depth) {
  float alpha = n.y < 0.1f ? c->roughness + 0.1f : c->roughness;
  metal m = {.f = frame_of(n), .tint = c->tint, .alpha = depth ? fmaxf(alpha, 0.45f) : alpha};
  m.out = to_local(m.f, scale(d, -1));
  m.out.z = fmaxf(m.out.z, 0.02f);
  m.out = unit(m.out);
  m.lambda = smith(m.out.z, m.alpha * m.alpha);
  return m;
}

// Returns the reflectance times cosine, and the density with which bounce() picks the direction.
static vec reflectance(const metal *m, vec in, float *density) {
  *density = 0;
  if (in.z <= 0) return v3(0, 0, 0);
  vec h = unit(add(in, m->out));
  float a2 = m->alpha * m->alpha, k = h.z * h.z * (a2 - 1) + 1, d = a2 / (PI * k * k);
  *density = d / ((1 + m->lambda) * 4 * m->out.z);
  float w = 1 - dot(h, m->out), w5 = w * w * w * w * w;
  float shape = d / (4 * m->out.z * (1 + m->lambda + smith(in.z, a2)));
  return scale(mix(m->tint, v3(1, 1, 1), w5), shape);
}

static vec bounce(const metal *m, pair u) {
  float a = m->alpha;
  vec view = unit(v3(a * m->out.x, a * m->out.y, m->out.z));
  vec t = view.z < 0.9999f ? unit(v3(-view.y, view.x, 0)) : v3(1, 0, 0), b = cross(view, t);
  float r = sqrtf(u.x), phi = 2 * PI * u.y, x = r * cosf(phi), s = 0.5f * (1 + view.z);
  float y = (1 - s) * sqrtf(1 - x * x) + s * r * sinf(phi);
  vec h = mad(mad(scale(t, x), b, y), view, sqrtf(fmaxf(0, 1 - x * x - y * y)));
  h = unit(v3(a * h.x, a * h.y, fmaxf(h.z, 1e-4f)));
  return reflect(scale(m->out, -1), h);
}

// ---- Picking a light: by nearness, and by how well the metal would mirror it ----

typedef struct {
  float sun, lamp[LAMPS];
} odds;

static float promise(vec to, vec normal, vec mirror) {
  float facing = clampf(dot(to, normal) + 0.2f, 0, 1), lobe = fmaxf(dot(to, mirror), 0);
  lobe *= lobe;
  return facing * (0.05f + lobe * lobe);
}

static odds light_odds(vec p, vec normal, vec mirror) {
  odds o = {.sun = 0.6f * promise(sun_at, normal, mirror)};
  float total = o.sun + 1e-9f;
  for (int i = 0; i < LAMPS; i++) {
    vec to = sub(lamp_at[i], p);
    o.lamp[i] = 0;
    if (to.y >= 0) continue;
    float near = 1 / (dot(to, to) + 0.1f);
    o.lamp[i] = near * promise(scale(to, sqrtf(near)), normal, mirror);
    total += o.lamp[i];
  }
  for (int i = 0; i < LAMPS; i++) o.lamp[i] /= total;
  o.sun /= total;
  return o;
}

#define SUN_DENSITY (1 / (2 * PI * (1 - SUN_COS)))

static float lamp_density(float distance, float cosine) {
  return distance * distance / (LAMP_AREA * fmaxf(cosine, 1e-4f));
}

static float balance(float mine, float other) {
  return mine * mine / (mine * mine + other * other);
}

// Light that arrives straight from one sampled lamp or the sun.
static vec direct(vec p, const metal *m, const odds *o, sampler *s) {
  pair u = draw(s);
  float density;
  vec to, colour;
  hit h;
  int lamp = -1;
  if (u.x < o->sun) {
    float z = 1 - u.x / o->sun * (1 - SUN_COS), r = sqrtf(1 - z * z), phi = 2 * PI * u.y;
    to = to_world(sun_frame, v3(r * cosf(phi), r * sinf(phi), z));
    density = o->sun * SUN_DENSITY;
    colour = sun_colour;
  } else {
    u.x -= o->sun;
    for (lamp = 0; lamp < LAMPS - 1 && u.x >= o->lamp[lamp]; lamp++) u.x -= o->lamp[lamp];
    if (u.x >= o->lamp[lamp]) return v3(0, 0, 0); // rounding ran past the last lamp
    u.x /= o->lamp[lamp];
    // A hexagon is three rhombi around its middle.
    int third = (int)(u.x * 3);
    float a = u.x * 3 - third, b = u.y, radius = APOTHEM * 2 / ROOT3;
    float first = PI / 6 + third * 2 * PI / 3, second = first + 2 * PI / 3;
    vec spot = v3(radius * (a * cosf(first) + b * cosf(second)), 0,
                  radius * (a * sinf(first) + b * sinf(second)));
    to = sub(add(lamp_at[lamp], spot), p);
    float distance = sqrtf(dot(to, to));
    to = scale(to, 1 / distance);
    if (to.y >= 0) return v3(0, 0, 0);
    density = o->lamp[lamp] * lamp_density(distance, -to.y);
    colour = lamp_colour(hex_distance(spot));
  }
  float other;
  vec f = reflectance(m, to_local(m->f, to), &other);
  if (peak(f) <= 0) return f;
  int struck = strike(p, to, &h);
  if (lamp < 0 ? struck : !struck || h.matter != LAMP || h.cell->lamp != lamp) return v3(0, 0, 0);
  return mul(colour, scale(f, balance(density, other) / density));
}

static float fresnel(float cosine, float eta, float *inner) {
  float k = 1 - eta * eta * (1 - cosine * cosine);
  if (k <= 0) return 1;
  *inner = sqrtf(k);
  float s = (eta * cosine - *inner) / (eta * cosine + *inner);
  float p = (cosine - eta * *inner) / (cosine + eta * *inner);
  return 0.5f * (s * s + p * p);
}

// Rare bright paths would show as sparks: the more bounces behind one, the less it may bring.
static vec tame(vec c, int bounces) {
  static const float most[] = {100, 4, 0.7f, 0.4f};
  float limit = most[bounces < 3 ? bounces : 3], top = peak(c);
  return top > limit ? scale(c, limit / top) : c;
}

// Follows one path and returns the light it brings to the lens. Lamps and the sun are found in two
// ways, by direct() and by chance, weighed by balance() so that each counts once.
static vec trace(vec o, vec d, sampler *s) {
  vec light = v3(0, 0, 0), carry = v3(1, 1, 1);
  float density = -1; // of the last scattering; negative where no light was sampled for it
  odds chances = {0};
  const cell *inside = 0; // the cell whose honey we are in
  for (int depth = 0; depth < BOUNCES; depth++) {
    hit h;
    if (inside) {
      inner what = inside_well(sub(o, inside->middle), d, inside->floor - DEPTH, inside->floor, &h);
      h.cell = inside;
      h.matter = what != MOUTH ? METAL : LIQUID;
      carry = mul(carry, v3(expf(-0.10f * h.t), expf(-0.75f * h.t), expf(-3.6f * h.t)));
      if (what == BOTTOM) {
        float x = hex_distance(sub(mad(o, d, h.t), inside->middle)) / APOTHEM;
        float glow = inside->warmth * (1 - x * x) * (1 - x * x);
        light = mad(light, mul(carry, v3(3.2f, 1.7f, 0.5f)), glow);
      }
    } else if (!strike(o, d, &h)) {
      vec c = depth ? sky(d) : haze;
      if (dot(d, sun_at) > SUN_COS)
        c = mad(c, sun_colour, density < 0 ? 1 : balance(density, chances.sun * SUN_DENSITY));
      return add(light, tame(mul(carry, c), depth));
    }
    if (depth == 0) {
      float clear = expf(-0.012f * fmaxf(h.t - NEAR, 0) * fmaxf(h.t - NEAR, 0));
      light = scale(haze, 1 - clear);
      carry = v3(clear, clear, clear);
    }
    vec p = mad(o, d, h.t);
    if (h.matter == LAMP) {
      float w = density < 0 ? 1
        : balance(density, chances.lamp[h.cell->lamp] * lamp_density(h.t, -d.y));
      if (depth == 0) w = LAMP_SEEN;
      return add(light, tame(mul(carry, scale(lamp_colour(h.edge), w)), depth));
    }
    pair u = draw(s);
    if (h.matter == LIQUID) {
      float eta = inside ? HONEY_INDEX : 1 / HONEY_INDEX, cosine = -dot(d, h.normal), inner = 0;
      if (u.x < fresnel(cosine, eta, &inner)) {
        d = reflect(d, h.normal);
        o = mad(p, h.normal, 1e-3f);
      } else {
        d = unit(mad(scale(d, eta), h.normal, eta * cosine - inner));
        o = mad(p, h.normal, -1e-3f);
        inside = inside ? 0 : h.cell;
      }
      density = -1;
      continue;
    }
    metal m = metal_of(h.normal, d, h.cell, depth);
    o = mad(p, h.normal, 1e-3f);
    if (!inside) {
      chances = light_odds(o, h.normal, reflect(d, h.normal));
      light = add(light, tame(mul(carry, direct(o, &m, &chances, s)), depth + 1));
    }
    vec in = bounce(&m, u), f = reflectance(&m, in, &density);
    if (density <= 0) return light;
    carry = mul(carry, scale(f, 1 / density));
    if (inside) density = -1;
    d = to_world(m.f, in);
    if (depth >= 1) {
      float stay = clampf(peak(carry), 0.05f, 1);
      if (draw(s).x >= stay) return light;
      carry = scale(carry, 1 / stay);
    }
  }
  return light;
}

#endif
