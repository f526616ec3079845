#!/usr/bin/env bash
# Installs the servers that the tests of this package start, where that is possible. The tests that miss one say so.
set -euo pipefail

# Debian keeps the programs of PostgreSQL out of PATH.
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done

packages=()
command -v redis-server || packages+=(redis-server)
{ command -v initdb && command -v postgres; } || packages+=(postgresql)
[ "${#packages[@]}" != 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "skipped: there is no ${packages[*]}, and nobody here who could install it with apt-get"
  exit 0
fi
install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${packages[@]}" >/dev/null; }
install || { apt-get update -qq && install; }
