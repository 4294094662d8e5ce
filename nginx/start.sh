#!/bin/sh
# Renders the configuration for DOMAIN and, where it is set, OPERATOR_DOMAIN, then starts what it is given (`nginx …`) as the
# image would.
#
# Without a certificate nginx serves port 80 only: enough for certbot to get one. As soon as it is there, nginx is reloaded with
# port 443. Later certificates are not this script's business: diun-pilot reloads nginx when one was renewed.
set -eu

stack=/etc/nginx/stack
rendered=/etc/nginx/conf.d

require_host_name() {
  case $2 in
    '' | *[!A-Za-z0-9.-]*)
      echo "$1 must be a host name such as git.example.org, not '$2': set it in .env" >&2
      exit 1
      ;;
  esac
}
require_host_name DOMAIN "$DOMAIN"
if [ -n "$OPERATOR_DOMAIN" ]; then require_host_name OPERATOR_DOMAIN "$OPERATOR_DOMAIN"; fi
if [ "$OPERATOR_DOMAIN" = "$DOMAIN" ]; then
  echo "OPERATOR_DOMAIN must be another name than DOMAIN: under Gitea's name nothing may ask for a password" >&2
  exit 1
fi
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

has_certificate() { [ -e "/etc/letsencrypt/live/$1/fullchain.pem" ]; }

has_all_certificates() {
  has_certificate "$DOMAIN" && { [ -z "$OPERATOR_DOMAIN" ] || has_certificate "$OPERATOR_DOMAIN"; }
}

# Into a name that nginx does not read, then in one move: a reload meanwhile reads the old one or the new one.
# render TEMPLATE RESULT [NAME [PARAMETERS OF LISTEN]]
render() {
  sed -e "s|@DOMAIN@|$DOMAIN|g" -e "s|@OPERATOR_DOMAIN@|$OPERATOR_DOMAIN|g" -e "s|@MAX_BODY@|$MAX_BODY|g" \
    -e "s|@NAME@|${3:-}|g" -e "s|@DEFAULT_SERVER@|${4:-}|g" \
    -e "s|@HTTP2_PARAMETER@|$http2_parameter|g" -e "s|@HTTP2_DIRECTIVE@|$http2_directive|g" \
    "$stack/$1.conf.template" > "$rendered/$2.part"
  mv "$rendered/$2.part" "$rendered/$2.conf"
}

render_name() { # NAME TEMPLATE RESULT PORT-80-RESULT PARAMETERS
  if has_certificate "$1"; then
    render "$2" "$3"
    render redirect "$4" "$1" "$5"
  else
    render no-certificate "$4" "$1" "$5"
  fi
}

render_site() {
  render common 10-common
  render_name "$DOMAIN" https 20-https 30-port-80 ' default_server reuseport'
  if [ -n "$OPERATOR_DOMAIN" ]; then render_name "$OPERATOR_DOMAIN" operator 40-operator 50-operator-port-80 ''; fi
}

load_first_certificates() {
  until has_all_certificates; do
    if has_certificate "$DOMAIN" && [ ! -e "$rendered/20-https.conf" ]; then load; fi
    sleep 1
  done
  load
}

load() {
  echo "A first certificate is there: nginx begins to serve https with it."
  render_site
  nginx -t && nginx -s reload
}

http2_words
render_site
case " $* " in
  *' -t '*) ;; # only a test of the configuration
  *) if ! has_all_certificates; then load_first_certificates & fi ;;
esac

if [ -x /docker-entrypoint.sh ]; then exec /docker-entrypoint.sh "$@"; fi
exec "$@"
