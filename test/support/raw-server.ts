import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RawServer {
  port: number;
  connections: number;
  stop(): Promise<void>;
}

/** A TCP server that does with each connection what the test says: nothing (it hangs), or reset it. */
export async function startRawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    raw.connections += 1;
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const raw: RawServer = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return raw;
}

export const hangs = (): void => undefined;
export const resets = (socket: Socket): void => void socket.once('data', () => socket.resetAndDestroy());
export const resetsAtOnce = (socket: Socket): void => void socket.resetAndDestroy();
