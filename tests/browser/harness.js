// What the browser tests stand on: a server of our own on a free port, one Chromium, pages that
// join a room.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
export const DEADLINE_MS = 60_000; // of one step; the machine may be building something else
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Short, so that a test sees what a long call sees; the answer has time on a busy machine. */
export const PING_S = 1;
export const PONG_S = 10;
const KEPT_OUTPUT_CHARS = 8000;

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Asks until the answer is good or the deadline is over; `ended` says that there is no more hope.
 */
async function answers(url, ended) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    if (ended() || Date.now() > deadline)
      throw new Error(`no healthy server at ${url}: ${ended() || `status ${status}`}`);
    await delay(50);
  }
}

/** One process of the binary LUNASIG_BIN. */
async function run(port, data, settings) {
  const binary = process.env.LUNASIG_BIN ?? path.join(REPOSITORY, 'build/release/lunasig');
  const child = spawn(path.resolve(binary), ['serve'], {
    cwd: data, // no settings file of somebody's working copy
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      GUESTS: 'on',
      DATA_DIR: data,
      WEBRTC_STUN_URLS: '', // nothing leaves this machine
      WEBSOCKET_PING_S: String(PING_S),
      WEBSOCKET_PONG_S: String(PONG_S),
      ...settings,
    },
  });
  let output = '';
  let leak = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARS);
      leak ||= /eyJ[\w-]{8,}\.[\w-]+/.exec(output)?.[0] ?? '';
    });
  }
  let ended = '';
  child.on('error', (error) => {
    ended = String(error);
  });
  const exit = new Promise((resolve) =>
    child.on('exit', (code, signal) => {
      ended = `exit ${code ?? signal}\n${output}`;
      resolve(code ?? signal);
    }),
  );
  await answers(`http://127.0.0.1:${port}/health`, () => ended);
  return async (signal = 'SIGTERM') => {
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    const status = await exit;
    clearTimeout(late);
    if (leak) throw new Error(`the server wrote a token to its log: ${leak.slice(0, 12)}…`);
    if (status !== (signal === 'SIGTERM' ? 0 : signal))
      throw new Error(`the server ended with ${status}\n${output}`);
  };
}

/**
 * A server of our own, with these settings besides; without any, the one named by LUNASIG_URL.
 * `restart()` is what a deploy does: SIGTERM, and a new process on the same port and data folder;
 * with SIGKILL it is what a crash does.
 */
export async function startServer(settings = {}) {
  if (process.env.LUNASIG_URL && Object.keys(settings).length === 0) {
    const url = process.env.LUNASIG_URL.replace(/\/$/, '');
    const restart = () => Promise.reject(new Error('not our server'));
    return { url, port: Number(new URL(url).port), restart, stop: async () => {} };
  }
  const port = await freePort();
  const data = await mkdtemp(path.join(tmpdir(), 'lunasig-browser-'));
  let end = await run(port, data, settings);
  const restart = async (signal) => {
    await end(signal);
    end = await run(port, data, settings);
  };
  const stop = async () => {
    await end();
    await rm(data, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, port, restart, stop };
}

export async function startBrowser() {
  const profile = await mkdtemp(path.join(tmpdir(), 'lunasig-chromium-'));
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    userDataDir: profile,
    protocolTimeout: DEADLINE_MS,
    headless: true,
    args: [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
    ],
  });
  const stop = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, stop };
}

/**
 * A page in a window of its own (nothing shared with the others), with everything that went wrong
 * in it.
 * @returns {Promise<{page: import('puppeteer-core').Page, problems: string[], requests: string[],
 *   close: () => Promise<void>}>}
 */
export async function openPage(browser, { width = 1280, height = 800, colors = 'light' } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colors }]);
  const problems = [];
  const requests = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`page: ${error}`));
  page.on('requestfailed', (request) =>
    problems.push(`request: ${request.url()} ${request.failure()?.errorText}`),
  );
  page.on('request', (request) => requests.push(request.url()));
  const network = await page.createCDPSession();
  await network.send('Network.enable');
  network.on('Network.webSocketCreated', ({ url }) => requests.push(url));
  return { page, problems, requests, close: () => context.close() };
}

/** Opens the page as the link of an invitation does, and waits until it is in the room. */
export async function join(guest, server, room, name) {
  const url = `${server.url}/?room=${room}&name=${name}&auto=1`;
  await guest.page.goto(url);
  await guest.page.waitForFunction(() => window.lunasigCall?.session?.signal.state === 'joined');
}

/**
 * Waits until that many peers are connected and as many frames of each were decoded since the call
 * began.
 */
export async function inCallWith(guest, peers, frames = 30) {
  const reached = async (wantedPeers, wantedFrames) => {
    const stats = await window.lunasigCall.stats();
    const good = (peer) =>
      peer.connectionState === 'connected' && peer.framesDecoded >= wantedFrames;
    return stats.length === wantedPeers && stats.every(good);
  };
  try {
    await guest.page.waitForFunction(reached, { polling: 100 }, peers, frames);
  } catch (error) {
    const stats = await guest.page.evaluate(() => window.lunasigCall.stats());
    throw new Error(
      `${peers} peers with ${frames} frames each were due, there is ${JSON.stringify(stats)}`,
      { cause: error },
    );
  }
}
