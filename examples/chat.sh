#!/bin/bash
# A chat room. Each message is appended to one file, and every visitor has a tail that follows it.
# Each route has its own room. A room is empty again when its first visitor enters.

rooms=${TMPDIR:-/tmp}/duplex-chat-$UID
mkdir -p -m 700 "$rooms" && [ -O "$rooms" ] || exit 1
room=$rooms/room${SCRIPT_NAME//\//-}
exec 3>>"$room"
flock -x -n 3 && : >"$room" # the room was empty: forget old messages
flock -s 3

echo 'Please enter your name:'
IFS= read -r name || exit 0
echo "[$(date)] Welcome to the chat $name!"
echo "[$(date)] $name joined the chat" >&3
read -r _ position </proc/self/fdinfo/3 # the position after our own announcement
tail -c +$((position + 1)) -f --pid=$$ "$room" 3>&- &
trap 'kill $!' EXIT

while IFS= read -r text; do
  echo "[$(date)] $name> $text" >&3
done
echo "[$(date)] $name left the chat" >&3
