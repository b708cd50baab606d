#!/bin/sh
# Builds sqlite.wasm from sqlite.c and SQLite 3.54.1's amalgamation, which is in the public domain:
# `build-sqlite.sh DIR` with sqlite3.c and sqlite3.h in DIR, such as deps/sqlite3 of the npm package
# better-sqlite3@13.2.0. The same packages as build.sh; takes a minute or two.
set -eu
source=$(cd "$1" && pwd)
cd "$(dirname "$0")"
clang-14 --target=wasm32-wasi --sysroot=/usr -std=gnu11 -Os -I "$source" \
  -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_OMIT_DEPRECATED \
  -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_DEFAULT_MEMSTATUS=0 \
  -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_DQS=0 -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_MMAN \
  -Wl,--strip-all -Wl,-z,stack-size=262144 -o sqlite.wasm \
  sqlite.c "$source/sqlite3.c" -lwasi-emulated-getpid -lwasi-emulated-mman
