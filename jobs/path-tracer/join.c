/* Joins the tiles of a picture. Every file of the folder given is a tile as tracer.c writes it, in any
   order; the picture is written to the file given, as PPM. Exit code 2 when the tiles do not make one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 8192
#define MAX_PATH 4096

static unsigned char *picture, *seen;
static int width, height;

static int refuse(const char *why, const char *where) {
  fprintf(stderr, "join: %s: %s\n", where, why);
  return 2;
}

/* The first tile says how large the picture is, the others must agree. */
static int prepare(int w, int h) {
  if (picture) return w == width && h == height;
  if (w < 1 || h < 1 || w > MAX_SIDE || h > MAX_SIDE) return 0;
  width = w, height = h;
  picture = calloc((size_t)w * h, 3);
  seen = calloc((size_t)w * h, 1);
  return picture && seen;
}

static int join(const char *path) {
  int x, y, w, h, W, H;
  FILE *in = fopen(path, "rb");
  if (!in) return refuse("cannot be read", path);
  if (fscanf(in, "TILE %d %d %d %d %d %d", &x, &y, &w, &h, &W, &H) != 6 || fgetc(in) != '\n')
    return refuse("is no tile", path);
  if (!prepare(W, H)) return refuse("is of another picture", path);
  if (x < 0 || y < 0 || w < 1 || h < 1 || w > W - x || h > H - y)
    return refuse("lies outside of the picture", path);
  for (int row = y; row < y + h; row++) {
    size_t at = (size_t)row * W + x;
    if (memchr(seen + at, 1, w)) return refuse("covers another tile", path);
    memset(seen + at, 1, w);
    if (fread(picture + 3 * at, 3, w, in) != (size_t)w) return refuse("is cut short", path);
  }
  return fclose(in), 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: join FOLDER PICTURE\n", stderr), 2;
  DIR *tiles = opendir(argv[1]);
  if (!tiles) return refuse("cannot be read", argv[1]);
  for (struct dirent *each; (each = readdir(tiles));) {
    char path[MAX_PATH];
    if (each->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", argv[1], each->d_name);
    int refused = join(path);
    if (refused) return refused;
  }
  if (!picture) return refuse("holds no tiles", argv[1]);
  if (memchr(seen, 0, (size_t)width * height)) return refuse("a part is missing", argv[1]);
  FILE *out = fopen(argv[2], "wb");
  if (!out) return refuse("cannot be written", argv[2]);
  fprintf(out, "P6\n%d %d\n255\n", width, height);
  size_t count = (size_t)width * height;
  if (fwrite(picture, 3, count, out) != count || fclose(out)) return refuse("cannot be written", argv[2]);
  return 0;
}
