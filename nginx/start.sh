#!/bin/sh
# Renders the configuration for DOMAIN, then starts what it is given (`nginx …`) as the image would.
#
# Without a certificate nginx serves port 80 only: enough for certbot to get one. The moment it is there, nginx is reloaded with
# port 443. Later certificates are none of this script's business: diun-pilot reloads nginx when one was renewed.
set -eu

stack=/etc/nginx/stack
rendered=/etc/nginx/conf.d
certificate=/etc/letsencrypt/live/$DOMAIN/fullchain.pem

case $DOMAIN in
  '' | *[!A-Za-z0-9.-]*)
    echo "DOMAIN must be a host name such as git.example.org, not '$DOMAIN': set it in .env" >&2
    exit 1
    ;;
esac
case $MAX_BODY in
  '' | *[!0-9kmg]*)
    echo "MAX_BODY must be a size such as 2g, or 0 for no limit, not '$MAX_BODY': set it in .env" >&2
    exit 1
    ;;
esac

# `http2 on` is known from 1.25.1 on, where the older parameter of `listen` begins to warn.
http2_words() {
  version=$(nginx -v 2>&1 | sed 's|.*nginx/||; s|[^0-9.].*||')
  newest=$(printf '%s\n1.25.1\n' "$version" | sort -t. -k1,1n -k2,2n -k3,3n | tail -n 1)
  if [ "$newest" = "$version" ]; then
    http2_parameter='' http2_directive='http2 on;'
  else
    http2_parameter=' http2' http2_directive=''
  fi
}

# Into a name that nginx does not read, then in one move: a reload meanwhile reads the old one or the new one.
render() {
  sed -e "s|@DOMAIN@|$DOMAIN|g" -e "s|@MAX_BODY@|$MAX_BODY|g" \
    -e "s|@HTTP2_PARAMETER@|$http2_parameter|g" -e "s|@HTTP2_DIRECTIVE@|$http2_directive|g" \
    "$stack/$1.conf.template" > "$rendered/$2.part"
  mv "$rendered/$2.part" "$rendered/$2.conf"
}

render_site() {
  render common 10-common
  if [ -e "$certificate" ]; then
    render https 20-https
    render redirect 30-port-80
  else
    render no-certificate 30-port-80
  fi
}

load_first_certificate() {
  until [ -e "$certificate" ]; do sleep 1; done
  echo "The first certificate of $DOMAIN is there: nginx begins to serve https."
  render_site
  nginx -t && nginx -s reload
}

http2_words
render_site
case " $* " in
  *' -t '*) ;; # only a test of the configuration
  *) if [ ! -e "$certificate" ]; then load_first_certificate & fi ;;
esac

if [ -x /docker-entrypoint.sh ]; then exec /docker-entrypoint.sh "$@"; fi
exec "$@"
