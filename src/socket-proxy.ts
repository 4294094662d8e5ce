#!/usr/bin/env node
import { dockerAddress } from './adapters/docker/docker-address';
import { listenerOf } from './adapters/docker/socket-proxy/listener';
import { createSocketProxy } from './adapters/docker/socket-proxy/socket-proxy';
import { createLogger } from './lib/logger';

// The second entry point of the image, for containers of their own that hold the Docker socket instead of diun-pilot and Diun
// (docker-compose.socket-proxy.yml): `node dist/socket-proxy.js --port 2375`.

const { engine, port, listed } = listenerOf(process.argv.slice(2));
const logger = createLogger('info').child({ part: 'socket-proxy' });
const server = createSocketProxy({ engine: dockerAddress(engine), listed, logger });
server.listen(port, () => logger.info('listening', { port, calls: listed.length }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close().closeAllConnections();
    process.exit(0);
  });
}
