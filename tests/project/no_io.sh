#!/bin/sh
# The protocol does no I/O: what the archives of base/, http/ and ws/ need from outside is memory,
# strings and the compiler's helpers. Run on a plain build: sanitizers and coverage add symbols of
# their own.
#
#   no_io.sh ARCHIVE...     prints each symbol that is not allowed, with who needs it
allowed='malloc calloc realloc free
memcpy memmove memset memcmp memchr strlen strcspn strcmp strncmp strchr strrchr strstr strnlen
__memcpy_chk __memmove_chk __memset_chk __stack_chk_fail __assert_fail
__cpu_model __cpu_indicator_init __cpu_features2
_GLOBAL_OFFSET_TABLE_'

symbols=$(mktemp) || exit 1
trap 'rm -f "$symbols"' EXIT

nm -g --defined-only "$@" | awk 'NF == 3 { print "defined", $3 }' >"$symbols" || exit 1
nm -A -u "$@" | awk 'NF > 1 && $(NF - 1) ~ /^[Uwv]$/ { print "needed", $NF, $1 }' \
  >>"$symbols" || exit 1

ALLOWED="$allowed" awk '
  BEGIN {
    count = split(ENVIRON["ALLOWED"], names, /[ \n]+/)
    for (i = 1; i <= count; i++)
      known[names[i]] = 1
  }
  $1 == "defined" { known[$2] = 1; defined++ }
  $1 == "needed" { needed++; if (!($2 in known)) { print $3 " needs " $2; failures++ } }
  END {
    printf "%d symbols defined, %d needed, %d not allowed\n", defined, needed, failures
    exit failures > 0 || defined < 50
  }' "$symbols"
