#!/bin/bash
# Is a WebSocket server well? Sends it a word and waits two seconds for an answer. Ends with the status of duplex connect.
url=${1:-ws://127.0.0.1:8080/}

duplex connect --quiet --send=ping --expect=1 --timeout=2s "$url" >/dev/null
status=$?
case $status in
  0) echo "$url is well" ;;
  3 | 4) echo "$url cannot be reached" ;;
  5) echo "$url has no good certificate" ;;
  8) echo "$url does not answer" ;;
  *) echo "$url is not well" ;;
esac
exit $status
