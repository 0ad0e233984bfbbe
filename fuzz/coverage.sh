#!/bin/sh
# What the committed corpora reach: replays them in a coverage build and prints the share of lines
# of ws/ and http/.
#
#   fuzz/coverage.sh [LEAST]     fails below LEAST per cent of either room (90)
set -eu
cd "$(dirname "$0")/.."
least=${1:-90}
build=build-coverage

if [ ! -f "$build/build.ninja" ]; then
  mkdir -p "$build"
  meson setup "$build" -Db_coverage=true --buildtype=debug >"$build/setup.log" || {
    cat "$build/setup.log"
    exit 1
  }
fi
# What earlier runs have reached does not count.
find "$build" -name '*.gcda' -delete
targets=$(sed -n "s/^  '\([a-z0-9_]*\)': \[.*/\1/p" fuzz/meson.build)
set --
for target in $targets; do
  set -- "$@" "fuzz/replay_$target"
done
ninja -C "$build" "$@" >"$build/ninja.log" || { tail -30 "$build/ninja.log"; exit 1; }
for target in $targets; do
  printf '%s: ' "$target"
  "$build/fuzz/replay_$target" "fuzz/corpus/$target"
done
failed=0
for room in ws http; do
  gcovr -r . "$build" --filter "src/$room/" --fail-under-line "$least" >"$build/$room.txt" 2>&1 || {
    cat "$build/$room.txt"
    failed=1
  }
  awk -v room="$room" '/^TOTAL/ { print "src/" room ": " $4 " of " $2 " lines" }' "$build/$room.txt"
done
exit "$failed"
