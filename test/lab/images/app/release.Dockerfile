# One release: its version, the schema it migrates to, and whether it works afterwards.
ARG BASE
FROM ${BASE}
ARG VERSION
ARG SCHEMA
ARG HEALTH=pass
ENV APP_VERSION=${VERSION}
RUN printf '{"version": "%s", "schema": %s, "health": "%s"}\n' "$VERSION" "$SCHEMA" "$HEALTH" > /app/release.json
LABEL org.opencontainers.image.title="lab app" org.opencontainers.image.version="${VERSION}"
