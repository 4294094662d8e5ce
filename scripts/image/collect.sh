#!/bin/sh
# collect.sh ROOT: puts into ROOT what the programs in ROOT/app and ROOT/usr/local need of the system that this runs on: node, `env`
# (the first line of main.js), their shared libraries, and which packages those are from, for scanners. No shell, no package manager.
set -eu
root=$1

give() { mkdir -p "$root$(dirname "$1")" && cp -L "$1" "$root$1"; }

libraries() { ldd "$1" 2> /dev/null | sed -n -e 's/.* => \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' || true; }

mkdir -p "$root/usr/local/bin" "$root/etc" "$root/var/lib/dpkg/status.d"
cp -L "$(command -v node)" "$root/usr/local/bin/node"
give /usr/bin/env

for program in "$root/usr/local/bin/"* "$root/usr/bin/env" "$root/usr/local/lib/docker/cli-plugins/docker-compose" \
  $(find "$root/app/node_modules" -name '*.node'); do libraries "$program"; done | sort -u > /tmp/libraries
while read -r library; do
  give "$library"
  owner=$(dpkg-query -S "*/${library##*/}" 2> /dev/null | sed -n '1s/[:,].*//p')
  if [ -n "$owner" ]; then dpkg-query -s "$owner" > "$root/var/lib/dpkg/status.d/$owner"; fi
done < /tmp/libraries

cp -L /etc/os-release "$root/etc/os-release"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/root:/sbin/nologin\npilot:x:1000:1000:diun-pilot:/data:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\npilot:x:1000:\n' > "$root/etc/group"
