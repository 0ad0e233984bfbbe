#!/bin/sh
# Compiles the C blocks of the documents. The blocks of one page, in their order, are one file that
# compiles without a warning, against the real headers.
#
#   library_guide.sh ROOT     prints how many blocks were compiled
root=$1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# check PAGE LEAST [FLAG...]: the page has at least LEAST blocks.
check() {
  page=$1 least=$2
  shift 2
  awk '/^```c$/ { inside = 1; count++; next }
    /^```/ { inside = 0 }
    inside { print }
    END { print "/* " count+0 " blocks */" }' "$root/$page" >"$scratch/page.c"
  for compiler in gcc clang; do
    # A page defines functions for its reader, and does not call them.
    $compiler -std=gnu11 -Wall -Wextra -Wpedantic -Werror -Wno-unused-function \
      -Wno-unused-variable -Wno-unused-const-variable "$@" -I"$root/include" \
      -c -o /dev/null "$scratch/page.c" || exit 1
  done
  count=$(tail -n 1 "$scratch/page.c" | tr -dc '0-9')
  echo "$page: $count blocks compiled"
  [ "$count" -ge "$least" ] || exit 1
}
check README.md 1 -Wno-unused-parameter
check docs/library.md 5
check docs/client.md 3
