#!/bin/sh
trap 'exit 0' TERM INT QUIT
sleep infinity &
wait
