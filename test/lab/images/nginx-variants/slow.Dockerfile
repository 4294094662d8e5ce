# Answers only after eight seconds, well inside its start period.
ARG BASE
FROM ${BASE}
RUN echo 'slow-but-healthy' > /usr/share/nginx/html/index.html
COPY slow.sh /docker-entrypoint.d/00-slow.sh
RUN chmod 755 /docker-entrypoint.d/00-slow.sh
HEALTHCHECK --interval=1s --timeout=2s --retries=3 --start-period=30s CMD curl -sS -o /dev/null http://127.0.0.1:80/
