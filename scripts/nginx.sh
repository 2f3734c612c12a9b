#!/usr/bin/env bash
# Prints the path of an nginx: $NGINX, one that is installed, or Debian's, installed if we may.
set -euo pipefail

if [ -n "${NGINX:-}" ]; then
  command -v "$NGINX" && exit 0
  echo "NGINX is $NGINX, but there is no such program." >&2
  exit 1
fi

found() {
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v nginx
}
found && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
  {
    # the package would start a service of its own, where services start by themselves
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends nginx
  } >&2
  found && exit 0
fi
echo "The system tests need nginx: install it (Debian: apt-get install nginx)," \
  "or name one with NGINX=/path/to/nginx." >&2
exit 1
