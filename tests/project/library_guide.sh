#!/bin/sh
# The code of docs/library.md, all blocks of it in their order, is one file that compiles without a warning; what it calls
# the library exists with these types because the headers are the real ones.
#
#   library_guide.sh ROOT     prints how many blocks were compiled
root=$1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
awk '/^```c$/ { inside = 1; count++; next } /^```/ { inside = 0 } inside { print } END { print "/* " count " blocks */" }' \
  "$root/docs/library.md" >"$scratch/guide.c"
for compiler in gcc clang; do
  # What a page defines for its reader to call is not called on the page.
  $compiler -std=gnu11 -Wall -Wextra -Wpedantic -Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable -Werror \
    -fsyntax-only -I"$root/include" "$scratch/guide.c" || exit 1
done
tail -n 1 "$scratch/guide.c" | tr -dc '0-9'
echo ' blocks compiled'
[ "$(tail -n 1 "$scratch/guide.c" | tr -dc '0-9')" -ge 5 ]
