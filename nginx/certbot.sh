#!/bin/sh
# The certificates of DOMAIN and, where it is set, OPERATOR_DOMAIN: the first ones, or their renewal when it is due. Ends with
# code 0 only if every one is there. Others that were obtained by hand into the same volume are renewed with them.
set -eu

if [ -n "$CERTBOT_CA_BUNDLE" ]; then export REQUESTS_CA_BUNDLE="$CERTBOT_CA_BUNDLE"; fi

server=''
if [ -n "$CERTBOT_SERVER" ]; then server="--server $CERTBOT_SERVER"; fi
account=--register-unsafely-without-email
if [ -n "$CERTBOT_EMAIL" ]; then account="--email $CERTBOT_EMAIL"; fi
code=0

obtain() {
  # shellcheck disable=SC2086 # several flags
  certbot certonly --non-interactive $server $account --agree-tos --webroot --webroot-path /var/www/acme \
    --cert-name "$1" --domain "$1" $CERTBOT_FLAGS || code=$?
}

due=no
for name in "$DOMAIN" $OPERATOR_DOMAIN; do
  if [ -e "/etc/letsencrypt/renewal/$name.conf" ]; then due=yes; else obtain "$name"; fi
done

if [ "$due" = yes ]; then
  # Without a terminal certbot would first wait for up to eight minutes.
  # shellcheck disable=SC2086 # several flags
  certbot renew --non-interactive $server --no-random-sleep-on-renew $CERTBOT_FLAGS || code=$?
fi
exit $code
