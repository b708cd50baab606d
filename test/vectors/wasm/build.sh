#!/bin/sh
# Builds the fixtures, byte for byte the same each time, with Debian's clang-14, lld-14, wasi-libc
# and libclang-rt-14-dev-wasm32.
set -eu
cd "$(dirname "$0")"
for name in programs escape kernels oracle; do
  clang-14 --target=wasm32-wasi --sysroot=/usr -std=gnu11 -O2 -Wall -Wextra -Wno-infinite-recursion \
    -Wl,--strip-all -Wl,-z,stack-size=131072 -o "$name.wasm" "$name.c"
done
# no library and no imports; its metered form is node/adapters/system/measuring/fuel.wasm
clang-14 --target=wasm32 -std=gnu11 -O2 -Wall -Wextra -nostdlib \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=1024 -o fuel.wasm fuel.c
