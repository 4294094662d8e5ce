import express from 'express';
import { Agent } from 'node:http';
import { listen, type Listening } from '../../src/http/listen';
import { eventually } from '../support/eventually';
import { send } from '../support/send';

const options = { host: '127.0.0.1', port: 0 };
let listening: Listening | null = null;
afterEach(async () => {
  await listening?.close(0);
  listening = null;
});

test('a port in use is told with the setting to change', async () => {
  listening = await listen(express(), options);
  await expect(listen(express(), { ...options, port: listening.port })).rejects.toMatchObject({
    code: 'invalid_settings',
    message: expect.stringMatching(new RegExp(`port ${listening.port} is in use.*PILOT_PORT`)),
  });
});

test('an address of another machine is told with the setting to change', async () => {
  await expect(listen(express(), { ...options, host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'invalid_settings',
    message: expect.stringContaining('PILOT_HOST'),
  });
});

test('closing lets a running request end, takes no new one, and frees the port', async () => {
  let finish: () => void = () => undefined;
  const app = express().get('/', (_request, response) => {
    finish = () => void response.send('whole');
  });
  const running = await listen(app, options);
  const agent = new Agent({ keepAlive: true });
  const started = finish;
  const answer = send(running.port, { method: 'GET', url: '/', agent });
  await eventually('the request has come', () => finish !== started);

  const closed = running.close(60_000);
  await expect(send(running.port, { method: 'GET', url: '/' })).rejects.toThrow(/ECONNREFUSED/);
  finish();
  expect((await answer).text).toBe('whole');
  await closed;
  agent.destroy();
});

test('closing cuts a request that does not end in time', async () => {
  let came = false;
  const running = await listen(
    express().get('/', () => {
      came = true;
    }),
    options,
  );
  const cut = expect(send(running.port, { method: 'GET', url: '/' })).rejects.toThrow(/socket hang up|ECONNRESET/);
  await eventually('the request has come', () => came);
  await running.close(1);
  await cut;
});
