#!/usr/bin/env bash
# Installs the servers that the tests of this package start, where that is possible; the tests that miss one say so.
set -euo pipefail

# Debian keeps the programs of PostgreSQL out of PATH.
PATH=$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin)

packages=()
command -v redis-server || packages+=(redis-server)
{ command -v initdb && command -v postgres; } || packages+=(postgresql)
[ "${#packages[@]}" != 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "skipped: ${packages[*]} not here, and nobody who could install it with apt-get"
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y "${packages[@]}" >/dev/null || { apt-get update -qq && apt-get install -qq -y "${packages[@]}" >/dev/null; }
