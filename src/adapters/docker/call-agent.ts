import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { addAbortSignal } from 'node:stream';
import { inspect } from 'node:util';

// A kept connection may be dead by the time of the next call, which may be one that must not be made twice.
const OPTIONS: AgentOptions = { keepAlive: false };

/**
 * Connects for one call, and cuts the connection when `signal` is aborted. docker-modem is handed no signal, and the agent
 * shows nothing of itself: the modem inspects all that it is handed to any depth (docs/adr/0001-dockerode.md).
 */
export function callAgent(protocol: 'http' | 'https', signal: AbortSignal | undefined): HttpAgent {
  const agent = protocol === 'https' ? new HttpsAgent(OPTIONS) : new HttpAgent(OPTIONS);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) => {
    // A connection that is destroyed before its request listens to it would throw into the air.
    signal?.throwIfAborted();
    const connection = connect(options, done);
    if (signal !== undefined && connection) addAbortSignal(signal, connection);
    return connection;
  };
  return Object.defineProperty(agent, inspect.custom, { value: () => 'CallAgent' });
}
