#!/bin/sh
# The certificate of DOMAIN: the first one, or its renewal when it is due. Ends with certbot's exit code.
# Others that were got by hand into the same volume are renewed with it.
set -eu

if [ -n "$CERTBOT_CA_BUNDLE" ]; then export REQUESTS_CA_BUNDLE="$CERTBOT_CA_BUNDLE"; fi

set -- --non-interactive
if [ -n "$CERTBOT_SERVER" ]; then set -- "$@" --server "$CERTBOT_SERVER"; fi

if [ -e "/etc/letsencrypt/renewal/$DOMAIN.conf" ]; then
  # Without a terminal certbot would first wait for up to eight minutes.
  # shellcheck disable=SC2086 # several flags
  exec certbot renew "$@" --no-random-sleep-on-renew $CERTBOT_FLAGS
fi

if [ -n "$CERTBOT_EMAIL" ]; then set -- "$@" --email "$CERTBOT_EMAIL"; else set -- "$@" --register-unsafely-without-email; fi
# shellcheck disable=SC2086 # several flags
exec certbot certonly "$@" --agree-tos --webroot --webroot-path /var/www/acme --cert-name "$DOMAIN" --domain "$DOMAIN" \
  $CERTBOT_FLAGS
