#!/bin/sh
# Runs a script of this repository under Node 24 with the locked dependencies, whatever Node the
# machine has: the first run installs both. Usage: sh scripts/run.sh SCRIPT [ARGUMENT...]
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
node="$root/node_modules/node/bin/node"
stamp="$root/node_modules/.installed-from"
lock=$(cksum <"$root/package-lock.json")

# A linked node_modules is another checkout's, and npm would empty it: that one installs.
if [ -h "$root/node_modules" ]; then
  :
elif [ ! -x "$node" ] || [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ]; then
  version=$(sed -n 's/^ *"node": "\([0-9.]*\)",\{0,1\}$/\1/p' "$root/package.json")
  echo "Installing Node $version and the locked dependencies (once) ..." >&2
  # npm itself has to run under the new Node: under an old one it leaves out native packages.
  (cd "$root" && npx --yes --package "node@$version" npm ci --no-audit --no-fund >&2)
  printf '%s\n' "$lock" >"$stamp"
fi

script=$1
shift
# A node idles most of its life: a small nursery, a heap that grows in small steps, compact code and one arena for what
# its threads allocate halve its memory.
# scripts/devnet/child.ts gives the same to its nodes.
lean=''
program="$root/$script"
# Keys and secrets are in its memory: no core dumps.
if [ "$script" = node/main.ts ]; then
  ulimit -c 0
  lean='--max-semi-space-size=1 --heap-growing-percent=20 --optimize-for-size'
  export MALLOC_ARENA_MAX=1
  # In one file it starts in half the time; scripts/bundle/bundle.ts says more. The sources do as well.
  bundle="$root/scripts/bundle"
  if sh "$bundle/fresh.sh" || "$node" --disable-warning=ExperimentalWarning "$bundle/main.ts"; then
    program="$root/.cache/node/main.js"
  fi
fi
export PATH="$root/node_modules/.bin:$PATH"
# Compiled code is kept between runs: a third off every start.
export NODE_COMPILE_CACHE="$root/node_modules/.cache/compile"
# shellcheck disable=SC2086 -- several flags, or none
exec "$node" --disable-warning=ExperimentalWarning $lean "$program" "$@"
