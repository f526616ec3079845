# Runs a server in a directory of its own until the standard input ends, which it does when the process of the tests does,
# however that dies. A line of it is a signal for the server, or `start`.
#
# keep.sh NAME PORT PROGRAM…: the programs are paths, `initdb` before `postgres`.
trap '' HUP INT TERM PIPE
export LC_ALL=C
exec 2>&1
name=$1 port=$2
shift 2

dir=$(mktemp -d "${TMPDIR:-/tmp}/anyrt-recipes-XXXXXX") || exit
cd "$dir" || exit

case $name in
redis)
  set -- "$1" --bind 127.0.0.1 --port "$port" --save '' --appendonly no
  ;;
postgres)
  initdb=$1 postgres=$2
  set --
  # PostgreSQL does not run as root. `setpriv` becomes it, where `su` would stay beside it and take the signals.
  if [ "$(id -u)" = 0 ]; then
    chown postgres . || exit
    set -- setpriv --reuid=postgres --regid=postgres --init-groups
  fi
  "$@" "$initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --pgdata=data || exit
  set -- "$@" "$postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off
  ;;
esac

"$@" &
server=$!
while read -r line; do
  case $line in
  start) "$@" & server=$! ;;
  *)
    kill -s "$line" "$server"
    wait "$server"
    echo 'stopped'
    ;;
  esac
done

# An orderly end that waits for no client, to both.
kill -s INT "$server"
wait "$server"
cd / && rm -rf "$dir"
