#!/usr/bin/env bash
# Prints the path of a PgBouncer: $PGBOUNCER, one that is installed, or Debian's, installed if we may.
set -euo pipefail

if [ -n "${PGBOUNCER:-}" ]; then
  command -v "$PGBOUNCER" && exit 0
  echo "PGBOUNCER is $PGBOUNCER, but there is no such program." >&2
  exit 1
fi

found() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v pgbouncer
}
found && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  {
    # the package would start a service of its own, where services start by themselves
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends pgbouncer
  } >&2
  found && exit 0
fi
echo "The system tests need PgBouncer: install it (Debian: apt-get install pgbouncer)," \
  "or name one with PGBOUNCER=/path/to/pgbouncer." >&2
exit 1
