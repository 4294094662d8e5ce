#!/bin/sh
# Checks of the configuration pass; only a server that was started crashes.
if [ "$1" != nginx ] || [ "$2" = -t ]; then exec "$@"; fi
"$@" &
sleep 1
echo 'nginx: [alert] exited on signal 11 (made by the lab)' >&2
kill -KILL $!
exit 139
