// Renders one tile of a picture of the hive and writes it to standard output.

#include <string.h>
#include <unistd.h>

#include "light.h"

#define EXPOSURE 1.85f
#define SATURATION 1.16f
#define MAX_SIDE 8192
#define MAX_SAMPLES 65536
#define MAX_TILES 4096

typedef struct {
  vec eye, right, up, ahead;
  float focus, lens, zoom;
} camera;

static camera aim(void) {
  camera c = {.eye = v3(-1.9f, 4.0f, -5.4f), .lens = 0.05f, .zoom = 0.42f};
  vec to = sub(v3(0.15f, 0.75f, 1.3f), c.eye);
  c.ahead = unit(to);
  c.right = unit(cross(v3(0, 1, 0), c.ahead));
  c.up = cross(c.ahead, c.right);
  c.focus = sqrtf(dot(to, to));
  return c;
}

// A tent filter one pixel to each side: neighbouring pixels blend without sharing samples.
static float tent(float u) { return u < 0.5f ? sqrtf(2 * u) - 1 : 1 - sqrtf(2 - 2 * u); }

static vec look(const camera *c, int x, int y, int width, int height, sampler *s) {
  pair p = draw(s), l = draw(s);
  float px = (x + 0.5f + 0.8f * tent(p.x) - width * 0.5f) / (width * 0.5f) * c->zoom;
  float py = (height * 0.5f - y - 0.5f - 0.8f * tent(p.y)) / (width * 0.5f) * c->zoom;
  vec target = scale(add(c->ahead, add(scale(c->right, px), scale(c->up, py))), c->focus);
  float r = c->lens * sqrtf(l.x), phi = 2 * PI * l.y;
  vec offset = add(scale(c->right, r * cosf(phi)), scale(c->up, r * sinf(phi)));
  return trace(add(c->eye, offset), unit(sub(target, offset)), s);
}

static unsigned char to_srgb(float x) {
  x = clampf(x, 0, 1);
  x = x <= 0.0031308f ? 12.92f * x : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
  return (unsigned char)(x * 255 + 0.5f);
}

static float film(float x) {
  return (x * (x + 0.0245786f) - 0.000090537f) / (x * (0.983729f * x + 0.432951f) + 0.238081f);
}

// The ACES look in the fit of Hill: bright colours bleach towards white as film does.
static void develop(vec c, unsigned char *out) {
  float grey = 0.25f * c.x + 0.65f * c.y + 0.10f * c.z;
  c = mix(v3(grey, grey, grey), c, SATURATION);
  c = v3(fmaxf(c.x, 0), fmaxf(c.y, 0), fmaxf(c.z, 0));
  vec a = v3(film(0.59719f * c.x + 0.35458f * c.y + 0.04823f * c.z),
             film(0.07600f * c.x + 0.90834f * c.y + 0.01566f * c.z),
             film(0.02840f * c.x + 0.13383f * c.y + 0.83777f * c.z));
  out[0] = to_srgb(1.60475f * a.x - 0.53108f * a.y - 0.07367f * a.z);
  out[1] = to_srgb(-0.10208f * a.x + 1.10813f * a.y - 0.00605f * a.z);
  out[2] = to_srgb(-0.00327f * a.x - 0.07276f * a.y + 1.07602f * a.z);
}

static int put(int fd, const void *bytes, size_t left) {
  const char *at = bytes;
  while (left > 0) {
    ssize_t done = write(fd, at, left);
    if (done <= 0) return 0;
    at += done;
    left -= (size_t)done;
  }
  return 1;
}

static char *put_number(char *at, int n) {
  if (n >= 10) at = put_number(at, n / 10);
  *at = (char)('0' + n % 10);
  return at + 1;
}

static int render(int width, int height, int samples, int x0, int y0, int x1, int y1) {
  static unsigned char row[MAX_SIDE * 3];
  char header[80] = "TILE", *end = header + 4;
  int numbers[] = {x0, y0, x1 - x0, y1 - y0, width, height};
  for (int i = 0; i < 6; i++) {
    *end++ = ' ';
    end = put_number(end, numbers[i]);
  }
  *end++ = '\n';
  if (!put(1, header, (size_t)(end - header))) return 0;

  camera c = aim();
  for (int y = y0; y < y1; y++) {
    unsigned char *out = row;
    for (int x = x0; x < x1; x++) {
      vec sum = v3(0, 0, 0);
      for (int i = 0; i < samples; i++) {
        sampler s = {hash((uint32_t)(y * width + x)), (uint32_t)i, 0};
        sum = add(sum, look(&c, x, y, width, height, &s));
      }
      develop(scale(sum, EXPOSURE / samples), out);
      out += 3;
    }
    if (!put(1, row, (size_t)(out - row))) return 0;
  }
  return 1;
}

// Columns of the tile grid: the divisor of `tiles` that makes the tiles most nearly square.
static int columns(int tiles, int width, int height) {
  int best = 1;
  float least = INFINITY;
  for (int n = 1; n <= tiles; n++) {
    float skew = fabsf(logf((float)width / n * (tiles / n) / height));
    if (tiles % n == 0 && skew < least) least = skew, best = n;
  }
  return best;
}

static int number(const char *text, int low, int high, int *out) {
  int n = 0;
  if (!*text) return 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || n > high / 10) return 0;
    n = n * 10 + (*text - '0');
  }
  *out = n;
  return n >= low && n <= high;
}

static int refuse(const char *why) {
  static const char usage[] =
    "\nusage: tracer --width W --height H --samples N --tiles T --tile I [--scene hive]\n";
  put(2, why, strlen(why));
  put(2, usage, sizeof usage - 1);
  return 2;
}

int main(int argc, char **argv) {
  static const struct { const char *name; int low, high; } wanted[] = {
    {"--width", 1, MAX_SIDE}, {"--height", 1, MAX_SIDE}, {"--samples", 1, MAX_SAMPLES},
    {"--tiles", 1, MAX_TILES}, {"--tile", 0, MAX_TILES - 1},
  };
  int value[5] = {-1, -1, -1, -1, -1};
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return refuse("tracer: an option has no value");
    if (!strcmp(argv[i], "--scene")) {
      if (strcmp(argv[i + 1], "hive")) return refuse("tracer: the only scene is hive");
      continue;
    }
    int which = 0;
    while (which < 5 && strcmp(argv[i], wanted[which].name)) which++;
    if (which == 5) return refuse("tracer: unknown option");
    if (!number(argv[i + 1], wanted[which].low, wanted[which].high, &value[which]))
      return refuse("tracer: a value is not a whole number in its range");
  }
  for (int i = 0; i < 5; i++)
    if (value[i] < 0) return refuse("tracer: an option is missing");
  int width = value[0], height = value[1], tiles = value[3], tile = value[4];
  if (tile >= tiles) return refuse("tracer: --tile counts from 0 and stays below --tiles");
  int wide = columns(tiles, width, height), down = tiles / wide;
  if (wide > width || down > height) return refuse("tracer: more tiles than pixels");

  build_hive();
  build_light();
  int column = tile % wide, row = tile / wide;
  return render(width, height, value[2], width * column / wide, height * row / down,
                width * (column + 1) / wide, height * (row + 1) / down) ? 0 : 1;
}
