import Sqlite from 'better-sqlite3';
import express from 'express';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

// The peer of webhook.ts: a bare Express that does the same durable insert and nothing else, in a process of its own.
const database = new Sqlite(join(process.argv[2] ?? '.', 'bare.db'));
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.exec('CREATE TABLE webhooks (id INTEGER PRIMARY KEY, image TEXT, digest TEXT, body TEXT)');
const insert = database.prepare('INSERT INTO webhooks (image, digest, body) VALUES (?, ?, ?)');

const app = express();
app.post('/webhooks/diun', express.text({ type: () => true }), (request, response) => {
  const body = request.body as string;
  const { image, digest } = JSON.parse(body) as { image: string; digest: string };
  const { lastInsertRowid } = insert.run(image, digest, body);
  response.status(202).json({ webhook: String(lastInsertRowid), duplicate: false });
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening ${(server.address() as AddressInfo).port}`);
});
