#!/bin/sh
# Exits 0 when the bundled node is no older than any of its sources. Usage: sh scripts/bundle/fresh.sh
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
stamp="$root/.cache/node/stamp"
[ -e "$stamp" ]
# A folder is newer when a file in it came, went or was renamed.
newer=$(find "$root/node" "$root/scripts/devnet" "$root/scripts/bundle" "$root/package-lock.json" \
  -newer "$stamp" -print -quit)
[ -z "$newer" ]
