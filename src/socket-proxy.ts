#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ENGINE_CALLS, WATCHER_CALLS } from './adapters/docker/calls';
import { dockerAddress } from './adapters/docker/docker-address';
import { createSocketProxy } from './adapters/docker/socket-proxy/socket-proxy';
import { createLogger } from './lib/logger';

// A second door of the image, for a container of its own that holds the Docker socket in the place of diun-pilot and Diun
// (docker-compose.socket-proxy.yml): `node dist/socket-proxy.js --engine unix:///var/run/docker.sock`.

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'unix:///var/run/docker.sock' },
    // Of diun-pilot: every call that it makes.
    port: { type: 'string', default: '2375' },
    // Of Diun: what lists containers and images, no more.
    'watch-port': { type: 'string', default: '2376' },
  },
});

const logger = createLogger('info').child({ part: 'socket-proxy' });
const engine = dockerAddress(values.engine);
const servers = [
  { listed: ENGINE_CALLS, port: Number(values.port) },
  { listed: WATCHER_CALLS, port: Number(values['watch-port']) },
].map(({ listed, port }) =>
  createSocketProxy({ engine, listed, logger }).listen(port, () =>
    logger.info('listening', { port, calls: listed.length }),
  ),
);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    for (const server of servers) server.close().closeAllConnections();
    process.exit(0);
  });
}
