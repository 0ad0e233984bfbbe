#!/bin/bash
# A chat room. What is said is appended to one file, and every visitor's tail follows that file.
# Each route has a room of its own, and a room begins empty when its first visitor enters.

rooms=${TMPDIR:-/tmp}/duplex-chat-$UID
mkdir -p -m 700 "$rooms" && [ -O "$rooms" ] || exit 1
room=$rooms/room${SCRIPT_NAME//\//-}
exec 3>>"$room"
flock -x -n 3 && : >"$room" # nobody is in: what lies there is from an earlier day
flock -s 3

echo 'Please enter your name:'
IFS= read -r name || exit 0
echo "[$(date)] Welcome to the chat $name!"
echo "[$(date)] $name joined the chat" >&3
read -r _ position </proc/self/fdinfo/3 # the place just behind our own announcement
tail -c +$((position + 1)) -f --pid=$$ "$room" 3>&- &
trap 'kill $!' EXIT

while IFS= read -r text; do
  echo "[$(date)] $name> $text" >&3
done
echo "[$(date)] $name left the chat" >&3
