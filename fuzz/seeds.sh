#!/bin/sh
# seeds.sh BUILD - writes the inputs of the test tables to fuzz/corpus/endpoint and
# fuzz/corpus/handshake, one file a row.
# Run it after a table has changed; what a fuzzer has found stays beside them.
set -eu
build=${1:?usage: seeds.sh BUILD}
corpus=$(dirname "$0")/corpus
mkdir -p "$corpus/endpoint" "$corpus/handshake"
"$build/tests/unit/ws/unit_ws_hostile" --seeds "$corpus/endpoint" >/dev/null 2>&1
"$build/tests/unit/ws/unit_ws_autobahn" --seeds "$corpus/endpoint" >/dev/null 2>&1
"$build/tests/unit/unit_ws_handshake" --seeds "$corpus/handshake"

# What a client asks for has no table of its own: a few of each kind.
ask() {
    name=$1
    shift
    printf 'ASK' >"$corpus/handshake/ask_$name"
    printf '\n%s' "$@" >>"$corpus/handshake/ask_$name"
}
ask plain / example.com
ask all '/chat?x=1' example.com:8080 https://example.com chat 'x-test; size=10, x-test' Cookie a=b
ask blank_in_target '/a b' h
ask no_slash chat h
ask return_in_host / "h$(printf '\r')X: y"
ask bad_subprotocol / h http://h 'a b'
ask bad_extension / h http://h a 'x;;'
ask bad_name / h http://h a x 'X:' y
ask reserved_name / h http://h a x Host y
ask return_in_value / h http://h a x X "y$(printf '\r')Z: 1"
ask long "/$(printf '%5000s' '' | tr ' ' x)" h
