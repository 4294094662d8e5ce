# A page that says which nginx serves it.
ARG BASE
FROM ${BASE}
ARG NAME
RUN printf '%s nginx/%s\n' "$NAME" "$(nginx -v 2>&1 | sed 's|.*nginx/||; s| .*||')" > /usr/share/nginx/html/index.html
LABEL org.opencontainers.image.url="https://nginx.org" org.opencontainers.image.title="${NAME}"
