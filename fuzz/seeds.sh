#!/bin/sh
# seeds.sh BUILD - writes the inputs of the test tables to fuzz/corpus/endpoint and fuzz/corpus/handshake, one file a row.
# Run it after a table has changed; what a fuzzer has found stays beside them.
set -eu
build=${1:?usage: seeds.sh BUILD}
corpus=$(dirname "$0")/corpus
mkdir -p "$corpus/endpoint" "$corpus/handshake"
"$build/tests/unit/ws/unit_ws_hostile" --seeds "$corpus/endpoint" >/dev/null 2>&1
"$build/tests/unit/ws/unit_ws_autobahn" --seeds "$corpus/endpoint" >/dev/null 2>&1
"$build/tests/unit/unit_ws_handshake" --seeds "$corpus/handshake"
