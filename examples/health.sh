#!/bin/bash
# Checks that a WebSocket server is healthy: sends a message and waits two seconds for an answer.
# The exit status is that of duplex connect.
url=${1:-ws://127.0.0.1:8080/}

duplex connect --quiet --send=ping --expect=1 --timeout=2s "$url" >/dev/null
status=$?
case $status in
  0) echo "$url is healthy" ;;
  3 | 4) echo "$url cannot be reached" ;;
  5) echo "$url has an invalid certificate" ;;
  8) echo "$url does not answer" ;;
  *) echo "$url is not healthy" ;;
esac
exit $status
