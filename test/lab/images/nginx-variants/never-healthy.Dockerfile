# nginx runs and serves, but the image's own check never agrees.
ARG BASE
FROM ${BASE}
RUN echo 'never-healthy' > /usr/share/nginx/html/index.html
HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD echo 'the lab wants this to be unhealthy' && false
