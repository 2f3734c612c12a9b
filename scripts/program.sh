#!/usr/bin/env bash
# Prints where a program is that tests need: scripts/program.sh pgbouncer|nginx|chromium|libfaketime.
#
# It is the one that its variable names (PGBOUNCER=/path ...), one that is installed, or Debian's,
# which is installed if that may be done.
set -euo pipefail

case "$1" in
  pgbouncer | nginx) candidates=("$1") packages=("$1") ;;
  chromium)
    candidates=(chromium chromium-browser google-chrome google-chrome-stable)
    packages=(chromium fonts-liberation)
    ;;
  libfaketime)
    # the variant for programs with several threads
    candidates=(/usr/{lib/*,lib64,lib,local/lib}/faketime/libfaketimeMT.so.1)
    packages=(libfaketime)
    ;;
  *) echo "usage: $0 pgbouncer|nginx|chromium|libfaketime" >&2 && exit 2 ;;
esac
variable="${1^^}"

found() {
  local name
  for name in "$@"; do
    # a pattern for a library is looked up again: it may have been installed meanwhile
    for place in $name; do
      [[ $place == */* && -f $place ]] && echo "$place" && return 0
    done
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$name" && return 0
  done
  return 1
}

if [ -n "${!variable:-}" ]; then
  found "${!variable}" && exit 0
  echo "$variable is ${!variable}, but there is no such file." >&2
  exit 1
fi
found "${candidates[@]}" && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  {
    "${as_root[@]}" apt-get update -qq
    # a package must not start a service of its own, where services start by themselves
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends "${packages[@]}"
  } >&2
  found "${candidates[@]}" && exit 0
fi
echo "These tests need $1: install it (Debian: apt-get install ${packages[*]})," \
  "or name it with $variable=/path." >&2
exit 1
