#!/usr/bin/env bash
# Prints the path of a Chromium: $CHROMIUM, one that is installed, or Debian's, installed if we may.
set -euo pipefail

found() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

if [ -n "${CHROMIUM:-}" ] && ! command -v "$CHROMIUM" >/dev/null; then
  echo "CHROMIUM is $CHROMIUM, but there is no such program." >&2
  exit 1
fi
found && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  {
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends chromium fonts-liberation
  } >&2
  found && exit 0
fi
echo "The browser tests need Chromium: install it (Debian: apt-get install chromium)," \
  "or name one with CHROMIUM=/path/to/chrome." >&2
exit 1
