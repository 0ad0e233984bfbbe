#!/bin/sh
# Arrows point down only: each folder includes what the table in docs/architecture.md allows, the guests (cli, examples, bench)
# see the public headers alone, and these neither name a file of src/ nor a library's header (<duplex/uv.h> may name uv.h).
#
#   layers.sh ROOT     prints each line that breaks a rule, and how many were read
cd "$1" || exit 1

table=$(awk -F'|' '/^\| folder \| may include \|/ { inside = 1; next } inside && !/^\|/ { exit } inside { print $2 "|" $3 }' \
  docs/architecture.md)
if [ "$(printf '%s\n' "$table" | wc -l)" -lt 10 ]; then
  echo "docs/architecture.md: the table of includes was not found"
  exit 1
fi

find src include cli examples bench -name '*.[ch]' ! -path '*/node_modules/*' |
  sort | xargs grep -nHE '^[[:space:]]*#[[:space:]]*include' |
  TABLE="$table" awk '
    BEGIN {
      count = split(ENVIRON["TABLE"], rows, "\n")
      for (i = 1; i <= count; i++) {
        split(rows[i], cells, "|")
        folders = split(cells[1], names, ",")
        clauses = split(cells[2], parts, /[;,]/)
        for (n = 1; n <= folders; n++) {
          folder = names[n]
          gsub(/[ `]/, "", folder)
          is_room[folder] = 1
          for (p = 1; p <= clauses; p++) {
            clause = parts[p]
            sub(/\(.*/, "", clause)
            words = split(clause, word, " ")
            # "base" or "http in handshake and extensions only"
            if (words == 1 && word[1] ~ /^[a-z]+$/) {
              allowed[folder, word[1]] = "."
            } else if (word[2] == "in") {
              for (w = 3; w < words; w++)
                if (word[w] != "and")
                  allowed[folder, word[1]] = allowed[folder, word[1]] (w > 3 ? "|" : "") "/" word[w]
            }
          }
        }
      }
    }
    function bad(why) { print file ":" line ": " why ": " name; failures++ }
    {
      split($0, piece, ":")
      file = piece[1]
      line = piece[2]
      text = $0
      is_quoted = text ~ /include[[:space:]]*"/
      sub(/^[^"<]*["<]/, "", text)
      sub(/[">].*/, "", text)
      name = text
      read++
      depth = split(file, path, "/")
      split(name, target, "/")
      if (path[1] == "src") {
        room = path[2]
        if (!is_quoted) {
          if (name ~ /^uv/ && room !~ /^(net|connection|server|bridge)$/)
            bad("libuv in src/" room)
          if (name ~ /^openssl/ && room != "net")
            bad("OpenSSL in src/" room)
          next
        }
        if (name !~ /\//) { bad("name the room too"); next }
        if (target[1] == room)
          next
        if (!((room, target[1]) in allowed) || file !~ allowed[room, target[1]])
          bad("src/" room " may not include " target[1])
      } else if (path[1] == "include") {
        if (is_quoted || (name ~ /\// && target[1] != "duplex") || (name ~ /^uv/ && file !~ /uv\.h$/))
          bad("not for a public header")
      } else {
        if (name ~ /^(uv|openssl)/ && path[1] != "bench")
          bad("guests use the public headers")
        if (is_quoted && (target[1] in is_room) && target[1] != path[1])
          if (!(path[1] == "bench" && path[2] == "micro" && (target[1] == "base" || target[1] == "ws")))
            bad("guests use the public headers")
      }
    }
    END {
      printf "%d includes read, %d out of place\n", read, failures
      exit failures > 0 || read < 100
    }'
