// SQLite as a command: DATABASE [SQL…]; SQL from stdin when none is given. Prints rows as values between bars.
// See build-sqlite.sh for what is linked.

#include <stdio.h>
#include <stdlib.h>
#include "sqlite3.h"

static int row(void *unused, int columns, char **values, char **names) {
  (void)unused, (void)names;
  for (int i = 0; i < columns; i++) printf(i ? "|%s" : "%s", values[i] ? values[i] : "");
  puts("");
  return 0;
}

static int run(sqlite3 *db, const char *sql) {
  char *error = NULL;
  if (sqlite3_exec(db, sql, row, NULL, &error) == SQLITE_OK) return 0;
  fprintf(stderr, "%s\n", error);
  sqlite3_free(error);
  return 1;
}

static char *all_of(FILE *in) {
  size_t size = 0, room = 65536;
  char *text = malloc(room + 1);
  for (size_t n; text && (n = fread(text + size, 1, room - size, in)) > 0;) {
    size += n;
    if (size == room) text = realloc(text, (room *= 2) + 1);
  }
  if (text) text[size] = 0;
  return text;
}

int main(int argc, char **argv) {
  sqlite3 *db;
  if (argc < 2 || sqlite3_open(argv[1], &db) != SQLITE_OK) return 2;
  int failed = run(db, "pragma temp_store = memory");
  for (int i = 2; i < argc && !failed; i++) failed = run(db, argv[i]);
  if (argc == 2 && !failed) {
    char *sql = all_of(stdin);
    failed = !sql || run(db, sql);
    free(sql);
  }
  return sqlite3_close(db) != SQLITE_OK || failed;
}
