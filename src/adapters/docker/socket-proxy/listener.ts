import { parseArgs } from 'node:util';
import { ENGINE_CALLS, WATCHER_CALLS } from '../calls';
import { createGuard, type Guard } from './guard/guard';

/** The one port of a socket proxy, and what passes through it. */
export interface Listener {
  engine: string;
  port: number;
  listed: readonly string[];
  /** Of the calls of Diun none changes or reads a container: there is nothing to guard. */
  guard?: Guard;
}

const USAGE = 'usage: node dist/socket-proxy.js (--port N | --watch-port N) [--engine unix:///var/run/docker.sock]';

/**
 * Reads the command line of a socket proxy: `--port` passes on every call of diun-pilot and looks at what it asks for, `--watch-port` those of Diun. Exactly
 * one of them, since a client that reaches a container reaches all its ports. Throws a RangeError with the usage.
 */
export function listenerOf(args: string[]): Listener {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'unix:///var/run/docker.sock' },
      port: { type: 'string' },
      'watch-port': { type: 'string' },
    },
  });
  const { engine, port, 'watch-port': watchPort } = values;
  const given = Number(port ?? watchPort);
  const isPort = Number.isInteger(given) && given > 0 && given <= 65_535;
  if ((port === undefined) === (watchPort === undefined) || !isPort) throw new RangeError(USAGE);
  if (port === undefined) return { engine, port: given, listed: WATCHER_CALLS };
  return { engine, port: given, listed: ENGINE_CALLS, guard: createGuard() };
}
