#!/bin/bash
# Reads what the client sends, one line per message, and answers each line.

while IFS= read -r line; do
  echo "You said: $line"
done
