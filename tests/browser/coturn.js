// A TURN server (coturn) on loopback whose credentials are made from a secret.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DEADLINE_MS, freePort } from './harness.js';

const TURNSERVER = process.env.TURNSERVER ?? '/usr/bin/turnserver';
const ASK_AGAIN_MS = 100;

/** STUN binding requests (RFC 5389 section 6) until one is answered. */
async function answers(port, ended) {
  const socket = createSocket('udp4');
  const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
  const ask = setInterval(() => socket.send(request, port, '127.0.0.1'), ASK_AGAIN_MS);
  try {
    socket.on('error', () => {}); // nobody listens yet
    const signal = AbortSignal.timeout(DEADLINE_MS);
    await Promise.race([once(socket, 'message', { signal }), ended]);
  } finally {
    clearInterval(ask);
    socket.close();
  }
}

/** @returns {Promise<{url: string, secret: string, stop: () => Promise<void>}>} */
export async function startCoturn() {
  const secret = randomBytes(24).toString('hex');
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), 'lunasig-coturn-'));
  const child = spawn(
    TURNSERVER,
    [
      '-n', // no configuration file of the machine
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      `--listening-port=${port}`,
      '--min-port=43000',
      '--max-port=43999',
      ...['--no-tls', '--no-dtls', '--no-cli', '--fingerprint'],
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--realm=lunasig.test',
      '--allow-loopback-peers', // two browsers of this machine talk through it
      `--db=${folder}/turndb`,
      `--pidfile=${folder}/turn.pid`,
      '--log-file=stdout',
      '--simple-log',
    ],
    { stdio: 'ignore' },
  );
  const exit = new Promise((resolve) => {
    child.on('exit', resolve);
    child.on('error', resolve);
  });
  await answers(
    port,
    exit.then((why) => Promise.reject(new Error(`turnserver ended: ${why}`))),
  );
  return {
    url: `turn:127.0.0.1:${port}`,
    secret,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exit;
      clearTimeout(late);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
