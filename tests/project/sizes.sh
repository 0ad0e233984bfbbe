#!/bin/sh
# Sizes: at most 600 lines a .c file, 60 a function, complexity 15 (pmccabe). Headers are manuals:
# they have no cap.
#
#   sizes.sh ROOT     prints what is larger, and how much was measured
cd "$1" || exit 1
files=$(find src include cli examples bench fuzz tests -name '*.[ch]' \
  ! -path '*/node_modules/*' | sort)

# shellcheck disable=SC2086 # no file of ours has a blank in its name
{
  wc -l $files | awk '$2 != "total" { print "file", $1, $2 }'
  pmccabe $files | awk -F'\t' '{ print "function", $1, $5, $6 }'
} | awk '
  $1 == "file" { files++ }
  $1 == "file" && $3 ~ /\.c$/ && $2 > 600 { print $3 ": " $2 " lines"; failures++ }
  $1 == "function" { functions++ }
  $1 == "function" && $2 > 15 { print $4 " " $5 ": complexity " $2; failures++ }
  $1 == "function" && $3 > 60 { print $4 " " $5 ": " $3 " lines"; failures++ }
  END {
    printf "%d files, %d functions, %d too large\n", files, functions, failures
    exit failures > 0 || functions < 100
  }'
