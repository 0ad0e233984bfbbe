#!/bin/sh
# Every C file is as clang-format 14 with our .clang-format writes it.
#
#   format.sh ROOT     prints what differs, and how many files were read
cd "$1" || exit 1
files=$(find src include cli examples bench fuzz tests -name '*.[ch]' \
  ! -path '*/node_modules/*' | sort)
clang_format=$(command -v clang-format-14 || command -v clang-format) || {
  echo "clang-format is not installed"
  exit 1
}

# shellcheck disable=SC2086 # no file of ours has a blank in its name
"$clang_format" --dry-run --Werror $files || exit 1
printf '%s\n' "$files" | awk 'END { print NR " files formatted"; exit NR < 50 }'
