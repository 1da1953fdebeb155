// A call of two pages that a test disturbs, and what it looks at.

import assert from 'node:assert/strict';

import { inCallWith, join, openPage, startBrowser } from './harness.js';

const GAP_MAX_MS = 5000; // of a picture, on a machine that is busy; without a call it has no end

/** What a test started, to be stopped in reverse order. */
const started = [];
export async function stopAll() {
  for (const { stop } of started.splice(0).reverse()) await stop();
}

export function keep(thing) {
  started.push(thing);
  return thing;
}

/** Counts frames and changes of the only peer's connection from now on. Runs in the page. */
function watchMedia() {
  const [peer] = window.lunasigCall.session.call.peers.values();
  const watch = { pc: peer.pc, changes: [], states: [], frames: 0, longestGapMs: 0 };
  for (const type of ['iceconnectionstatechange', 'connectionstatechange'])
    peer.pc.addEventListener(type, () =>
      watch.changes.push(`${peer.pc.iceConnectionState} ${peer.pc.connectionState}`),
    );
  window.lunasigCall.session.signal.on('state', ({ state }) => watch.states.push(state));
  window.lunasigCall.session.signal.on('resumed', ({ complete }) =>
    watch.states.push(complete ? 'resumed' : 'resumed with loss'),
  );
  let at = performance.now();
  setInterval(async () => {
    const [{ framesDecoded } = {}] = await window.lunasigCall.stats();
    const now = performance.now();
    watch.longestGapMs = Math.max(watch.longestGapMs, now - at);
    if (framesDecoded > watch.frames) [watch.frames, at] = [framesDecoded, now];
  }, 50);
  window.watch = watch;
}

export const watched = (guest) =>
  guest.page.evaluate(() => {
    const [peer] = window.lunasigCall.session.call.peers.values();
    const { changes, states, longestGapMs, pc } = window.watch;
    return { changes, states, longestGapMs, same: pc === peer.pc };
  });

export const until = (guest, condition, ...values) =>
  guest.page.waitForFunction(condition, { polling: 50 }, ...values);
export const untilState = (guest, state) =>
  until(guest, (wanted) => window.lunasigCall.session?.signal.state === wanted, state);

/** Media go on: that many more pictures arrive. */
export async function morePictures(guest, count = 10) {
  const before = await guest.page.evaluate(() => window.watch.frames);
  await until(guest, (wanted) => window.watch.frames >= wanted, before + count);
}

export async function say(guest, text) {
  await guest.page.type('#text', text);
  await guest.page.keyboard.press('Enter');
}

/** Waits until the last line is there; answers all that was said. */
export async function heard(guest, last) {
  const lines = () =>
    [...document.querySelectorAll('.line:not(.event) .words')].map((line) => line.textContent);
  await until(guest, (text) => document.querySelector('#lines').textContent.includes(text), last);
  return guest.page.evaluate(lines);
}

/**
 * Ann and Bob in a call.
 * @param {{url: string}} server
 * @param {{annUrl?: string, prepare?: (guest: object, name: string) => Promise<void>}} [how]
 *   annUrl: her way to the server; prepare: before a page joins
 */
export async function call(server, { annUrl = server.url, prepare = async () => {} } = {}) {
  const { browser } = keep(await startBrowser());
  const enter = async (url, name) => {
    const guest = await openPage(browser);
    await prepare(guest, name);
    await join(guest, { url }, 'tea', name);
    return guest;
  };
  const ann = await enter(annUrl, 'ann');
  const bob = await enter(server.url, 'bob');
  await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
  for (const guest of [ann, bob]) await guest.page.evaluate(watchMedia);
  return { ann, bob };
}

/** The pages still have their connections, and nothing of the media was disturbed. */
export async function undisturbed(t, ann, bob) {
  for (const guest of [ann, bob]) {
    await morePictures(guest);
    const { changes, longestGapMs, same } = await watched(guest);
    assert.ok(same, 'the same RTCPeerConnection');
    assert.deepEqual(changes, [], 'no change of the connection');
    assert.ok(longestGapMs < GAP_MAX_MS, `a gap of ${longestGapMs} ms`);
    t.diagnostic(`longest gap between pictures ${Math.round(longestGapMs)} ms`);
  }
}

