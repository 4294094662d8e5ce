#!/bin/sh
set -e
address=$(getent ahostsv4 "$TARGET" | awk '{ print $1; exit }')
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=pebble \
  -addext subjectAltName=DNS:pebble,DNS:localhost,IP:127.0.0.1 -keyout /etc/pebble-key.pem -out /acme/ca.pem 2>/dev/null
cat > /etc/pebble.json <<CONFIG
{ "pebble": {
  "listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000",
  "certificate": "/acme/ca.pem", "privateKey": "/etc/pebble-key.pem",
  "httpPort": $HTTP_PORT, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false,
  "certificateValidityPeriod": $VALIDITY
} }
CONFIG
pebble-challtestsrv -defaultIPv4 "$address" -defaultIPv6 "" -dns01 127.0.0.1:8053 -management 127.0.0.1:8055 \
  -http01 "" -https01 "" -tlsalpn01 "" &
exec pebble -config /etc/pebble.json -dnsserver 127.0.0.1:8053
