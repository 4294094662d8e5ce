# docker build -t diun-pilot .
# Both need the same major of Node and the same system: native modules of the first run on the second.
ARG BUILD_IMAGE=node:24-bookworm
ARG BASE_IMAGE=node:24-bookworm-slim
# Asked what `docker compose up -d` would do after a new tag was written (docs/how-updates-work.md, "New tags"): best the version of your host.
# Any image with the plugin at /docker-compose.
ARG COMPOSE_IMAGE=docker/compose-bin:v5.5.1
# For PILOT_BACKUP_URL=restic:… Any image with the program at /usr/bin/restic, and the certificates by which it trusts a server.
ARG RESTIC_IMAGE=restic/restic:0.18.1

# --- build: has a compiler, for better-sqlite3 where no prebuilt binary can be fetched ---
FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts/image scripts/image
RUN npm run build && npm prune --omit=dev --no-audit --no-fund && node scripts/image/prune.mjs /app

FROM ${COMPOSE_IMAGE} AS compose

FROM ${RESTIC_IMAGE} AS restic

# --- runtime ---
# What runs, and what that needs of the system: nothing by which an attacker could install or run something else.
FROM ${BASE_IMAGE} AS system
COPY --from=compose /docker-compose /root-of-image/usr/local/lib/docker/cli-plugins/docker-compose
COPY --from=restic /usr/bin/restic /root-of-image/usr/local/bin/restic
COPY --from=build /app/node_modules /root-of-image/app/node_modules
COPY --from=build /app/scripts/image/collect.sh /collect.sh
RUN sh /collect.sh /root-of-image && rm -rf /root-of-image/app /root-of-image/usr/local/lib /root-of-image/usr/local/bin/restic

FROM scratch AS runtime
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="diun-pilot" \
      org.opencontainers.image.description="Unattended, safe updates of self-hosted containers: Diun detects, diun-pilot backs up, updates, checks and rolls back." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production PILOT_DATA_DIR=/data PATH=/usr/local/bin:/usr/bin
# A backup streams gigabytes in small buffers: with the defaults of glibc and V8 they stay in memory for longer (docs/benchmarks.md).
ENV MALLOC_ARENA_MAX=2 NODE_OPTIONS=--max-semi-space-size=8
COPY --from=system /root-of-image /
COPY --from=compose /docker-compose /usr/local/lib/docker/cli-plugins/docker-compose
COPY --from=restic /usr/bin/restic /usr/local/bin/restic
COPY --from=restic /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# There is no shell. The user is a number, not a name: whatever user the base image knows, this one is not root. It must share
# the group of the Docker socket: `user: '1000:GID'` or `group_add` in the compose file. A module of another Node fails here, not at a start.
RUN ["node", "-e", "new (require('/app/node_modules/better-sqlite3'))(':memory:').close(); fs.mkdirSync('/data'); fs.chownSync('/data', 1000, 1000); fs.mkdirSync('/tmp', { recursive: true }); fs.chmodSync('/tmp', 0o1777); fs.symlinkSync('/app/dist/main.js', '/usr/local/bin/diun-pilot')"]
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PILOT_PORT || 8080) + '/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
