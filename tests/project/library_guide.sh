#!/bin/sh
# The code of docs/library.md, all blocks of it in their order, is one file that compiles without a warning; so is that of docs/client.md. What
# it calls the library exists with these types because the headers are the real ones.
#
#   library_guide.sh ROOT     prints how many blocks were compiled
root=$1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# check PAGE LEAST: at least so many blocks.
check() {
  awk '/^```c$/ { inside = 1; count++; next } /^```/ { inside = 0 } inside { print } END { print "/* " count " blocks */" }' \
    "$root/docs/$1.md" >"$scratch/$1.c"
  for compiler in gcc clang; do
    # What a page defines for its reader to call is not called on the page.
    $compiler -std=gnu11 -Wall -Wextra -Wpedantic -Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable -Werror \
      -I"$root/include" -c -o /dev/null "$scratch/$1.c" || exit 1
  done
  count=$(tail -n 1 "$scratch/$1.c" | tr -dc '0-9')
  echo "$1.md: $count blocks compiled"
  [ "$count" -ge "$2" ] || exit 1
}
check library 5
check client 3
