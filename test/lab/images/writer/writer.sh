#!/bin/bash
# As a database server does: it holds a lock for as long as it runs, and refuses data that is newer than its own release.
# Each start is in /lock/log, with CONFLICT if another process has the lock. As PID 1 it ends with 137: it ignores SIGTERM.
say() { echo "$(date +%T.%N) $HOSTNAME release $RELEASE: $1" >> /lock/log; }

exec 9>> /lock/lock
if ! flock --nonblock 9; then
  say CONFLICT
  exit 1
fi
say starts
current=$(cat /data/schema 2> /dev/null || echo "$SCHEMA")
if [ "$current" -gt "$SCHEMA" ]; then
  say "refuses schema $current"
  exit 1
fi
echo "$SCHEMA" > /data/schema
# Gone with the container's stop, and not in its layer.
if [ "$WORKS" = yes ]; then touch /dev/shm/ready; fi
while :; do
  echo "row of $HOSTNAME" >> /data/rows
  sleep 0.2
done
