#!/usr/bin/env bash
# Prints the path of libfaketime: $LIBFAKETIME, one that is installed, or Debian's, installed if we may.
set -euo pipefail

if [ -n "${LIBFAKETIME:-}" ]; then
  [ -f "$LIBFAKETIME" ] && echo "$LIBFAKETIME" && exit 0
  echo "LIBFAKETIME is $LIBFAKETIME, but there is no such file." >&2
  exit 1
fi

# the variant for programs with several threads
found() {
  local place
  for place in /usr/lib/*/faketime /usr/lib64/faketime /usr/lib/faketime /usr/local/lib/faketime; do
    [ -f "$place/libfaketimeMT.so.1" ] && echo "$place/libfaketimeMT.so.1" && return 0
  done
  return 1
}
found && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  {
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends libfaketime
  } >&2
  found && exit 0
fi
echo "The fault suite needs libfaketime: install it (Debian: apt-get install libfaketime)," \
  "or name its library with LIBFAKETIME=/path/to/libfaketimeMT.so.1." >&2
exit 1
