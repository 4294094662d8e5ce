#!/usr/bin/env node
import { dockerAddress } from './adapters/docker/wire';
import { listenerOf } from './adapters/docker/socket-proxy/listener';
import { createSocketProxy } from './adapters/docker/socket-proxy/socket-proxy';
import { systemClock } from './lib/clock';
import { createLogger } from './lib/logger';
import { ownContainerId } from './lib/own-container';
import { ENGINE_LOST_AFTER_MS, Outage } from './lib/outage';

// The second entry point of the image, for containers of their own that hold the Docker socket instead of diun-pilot and Diun
// (docker-compose.socket-proxy.yml): `node dist/socket-proxy.js --port 2375`.

const { engine, port, listed, guard } = listenerOf(process.argv.slice(2));
const logger = createLogger('info').child({ part: 'socket-proxy' });
const outage = new Outage(ENGINE_LOST_AFTER_MS);
const server = createSocketProxy({ engine: dockerAddress(engine), listed, guard, logger, reached });
server.listen(port, () => logger.info('listening', { port, calls: listed.length }));

/** Only a new start of the container mounts the socket of an engine that created it again. */
function reached(isReached: boolean): void {
  if (isReached) outage.answers();
  else if (outage.isSilent(systemClock.now()) && ownContainerId() !== null) {
    logger.error('the engine has not answered for five minutes: ending, so that the new start mounts its new socket');
    process.exit(1);
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close().closeAllConnections();
    process.exit(0);
  });
}
