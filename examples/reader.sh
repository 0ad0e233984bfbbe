#!/bin/bash
# Reads what the client sends, one line a message, and answers each line.

while IFS= read -r line; do
  echo "You said: $line"
done
