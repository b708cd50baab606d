#!/bin/sh
# Builds tracer.wasm and join.wasm, byte for byte the same each time, with Debian's clang-14, lld-14,
# wasi-libc and libclang-rt-14-dev-wasm32. Another folder for them is the first argument.
set -eu
cd "$(dirname "$0")"
for program in tracer join; do
  out="${1:-.}/$program.wasm"
  clang-14 --target=wasm32-wasi --sysroot=/usr -std=c11 -O3 -fno-math-errno -fno-trapping-math \
    -ffp-contract=off -Wall -Wextra -Werror -Wl,--strip-all -Wl,-z,stack-size=65536 \
    -o "$out" "$program.c"
  chmod 644 "$out"
done
