// The demo page in headless Chromium with fake cameras, against a real server.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import {
  DEADLINE_MS,
  inCallWith,
  join,
  openPage,
  PING_S,
  PONG_S,
  startBrowser,
  startServer,
} from './harness.js';

const TIMEOUT = { timeout: 4 * DEADLINE_MS };
const ROUNDS = 20;
const SCREENSHOT = process.env.LUNASIG_SCREENSHOT ?? path.join(tmpdir(), 'lunasig-call.png');

let server;
let chromium;
let guests = [];
let rooms = 0;

before(async () => {
  server = await startServer();
  chromium = await startBrowser();
}, TIMEOUT);

after(async () => {
  await chromium?.stop();
  await server?.stop();
}, TIMEOUT);

/** Closes all pages. Every page of every test: no error in its console, no request to others. */
async function dismiss() {
  const leaving = guests.splice(0);
  await Promise.all(leaving.map((guest) => guest.close()));
  const { host } = new URL(server.url);
  const isForeign = (url) => !url.startsWith('data:') && new URL(url).host !== host;
  for (const { name, problems, requests } of leaving) {
    assert.deepEqual(problems, [], `${name} had problems`);
    assert.deepEqual(requests.filter(isForeign), [], `${name} asked other hosts`);
    assert.ok(
      requests.some((url) => url.startsWith('ws:')),
      'WebSockets are recorded too',
    );
  }
}

afterEach(dismiss);

const newRoom = () => `browser-${process.pid}-${rooms++}`;

/** A page of its own in the room; `prepare` runs in it before anything else. */
async function enter(room, name, look, prepare = () => {}) {
  const guest = await openPage(chromium.browser, look);
  guest.name = name;
  guests.push(guest);
  await guest.page.evaluateOnNewDocument(prepare);
  await join(guest, server, room, name);
  return guest;
}

async function pair(room = newRoom()) {
  const ann = await enter(room, 'ann');
  const bob = await enter(room, 'bob');
  await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
  return { ann, bob, room };
}

const until = (guest, condition, ...values) =>
  guest.page.waitForFunction(condition, { polling: 50 }, ...values);

test('two pages are connected and decode 30 frames of each other', TIMEOUT, async () => {
  const { ann, bob } = await pair();
  const [annSees] = await ann.page.evaluate(() => window.lunasigCall.peers());
  const [bobSees] = await bob.page.evaluate(() => window.lunasigCall.peers());
  assert.ok(annSees.joinSeq > bobSees.joinSeq, 'bob came later');
  assert.deepEqual([annSees.polite, bobSees.polite], [false, true], 'the later one is polite');
  for (const guest of [ann, bob]) {
    await until(guest, () => document.querySelector('#status').textContent === 'Connected');
    await until(
      guest,
      () =>
        [...document.querySelectorAll('video')].filter((video) => video.videoWidth).length === 2,
    );
    await until(guest, () => document.querySelector('#alone').hidden);
  }
  await mkdir(path.dirname(SCREENSHOT), { recursive: true });
  await bob.page.bringToFront();
  await bob.page.screenshot({ path: SCREENSHOT });
});

test('chat reaches the other as text, never as markup', TIMEOUT, async () => {
  const { ann, bob } = await pair();
  const sees = (words) =>
    until(
      bob,
      (text) =>
        [...document.querySelectorAll('.line')].some(
          (line) =>
            line.querySelector('.author')?.textContent.includes('ann') &&
            line.querySelector('.words').textContent === text,
        ),
      words,
    );
  const say = async (words) => {
    await ann.page.type('#text', words);
    await ann.page.keyboard.press('Enter');
  };
  const harmless = '1 < 2 &amp; "2" > 1 &lt;b&gt; grüße 🌙';
  await say(harmless);
  await sees(harmless);
  assert.equal(await ann.page.$eval('.line.mine .words', (line) => line.textContent), harmless);
  await say('<img src=x onerror=alert(1)>hello'); // the server takes tags out
  await sees('hello');
  for (const { page } of [ann, bob]) {
    assert.equal(await page.$('.lines img'), null);
  }
});

test(
  'a raised hand and a muted microphone are seen, also by those who come later',
  TIMEOUT,
  async () => {
    const { ann, bob, room } = await pair();
    const shown = (guest, badge, wanted) =>
      until(
        guest,
        (selector, visible) => {
          const found = document.querySelector(`.tile[aria-label="ann"] ${selector}`);
          return found !== null && found.hidden !== visible;
        },
        badge,
        wanted,
      );
    await ann.page.click('#hand');
    await shown(bob, '.hand', true);
    await ann.page.click('#mute');
    await shown(bob, '.muted', true);
    assert.equal(
      await ann.page.$eval('#mute', (button) => button.getAttribute('aria-pressed')),
      'true',
    );
    const enabled = await ann.page.evaluate(() =>
      window.lunasigCall.session.stream.getAudioTracks().map((track) => track.enabled),
    );
    assert.deepEqual(enabled, [false]);

    const cid = await enter(room, 'cid');
    await shown(cid, '.hand', true);
    await shown(cid, '.muted', true);

    await ann.page.click('#hand');
    await ann.page.click('#mute');
    for (const guest of [bob, cid]) {
      await shown(guest, '.hand', false);
      await shown(guest, '.muted', false);
    }
  },
);

test('a third joins the mesh, one leaves and returns', TIMEOUT, async () => {
  const { ann, bob, room } = await pair();
  const cid = await enter(room, 'cid');
  await Promise.all([ann, bob, cid].map((guest) => inCallWith(guest, 2)));

  const before = await ann.page.evaluate(() => window.lunasigCall.peers());
  await bob.page.click('#leave');
  await Promise.all([ann, cid].map((guest) => inCallWith(guest, 1)));
  assert.equal(await bob.page.evaluate(() => window.lunasigCall.session), null);

  await bob.page.click('#enter');
  await Promise.all([ann, bob, cid].map((guest) => inCallWith(guest, 2)));
  const old = before.find((peer) => peer.userId.includes('bob'));
  const now = (await ann.page.evaluate(() => window.lunasigCall.peers())).find((peer) =>
    peer.userId.includes('bob'),
  );
  assert.notEqual(now.peerId, old.peerId, 'a new connection has a new peer_id');
  assert.ok(now.joinSeq > old.joinSeq);
});

/**
 * What the others say waits while `hold()` is in force: both sides have sent an offer before either
 * sees the other's.
 * Runs in the page, for its only peer.
 */
function holdIncoming() {
  const [peer] = window.lunasigCall.session.call.peers.values();
  const receive = peer.receive.bind(peer);
  let holding = false;
  const held = [];
  peer.receive = (frame) => (holding ? held.push(frame) : receive(frame));
  window.incoming = {
    hold: () => {
      holding = true;
    },
    collision: () =>
      peer.pc.signalingState === 'have-local-offer' && held.some(({ type }) => type === 'offer'),
    release: () => {
      holding = false;
      held.splice(0).forEach(receive);
    },
  };
}

/** One change that needs an offer; what must be true when it went through. */
function renegotiate(round) {
  const [peer] = window.lunasigCall.session.call.peers.values();
  const { pc, polite } = peer;
  const ufrag = () => /a=ice-ufrag:(\S+)/.exec(pc.localDescription.sdp)[1];
  if (round % 2) {
    const before = ufrag();
    peer.restart();
    window.renegotiated = () => ufrag() !== before;
    return;
  }
  // The two change different things, so that the one who gives way has to offer his again.
  const kind = polite ? 'audio' : 'video';
  const transceiver = pc.getTransceivers().find(({ sender }) => sender.track?.kind === kind);
  const wanted = transceiver.direction === 'sendrecv' ? 'sendonly' : 'sendrecv';
  transceiver.direction = wanted;
  window.renegotiated = () => transceiver.currentDirection === wanted;
}

test(`both sides renegotiate at the same instant ${ROUNDS} times`, TIMEOUT, async () => {
  const { ann, bob } = await pair();
  const both = (action, ...values) =>
    Promise.all([ann, bob].map((guest) => guest.page.evaluate(action, ...values)));
  const bothUntil = (condition, ...values) =>
    Promise.all([ann, bob].map((guest) => until(guest, condition, ...values)));
  const counters = async () => await both(() => window.lunasigCall.peers()[0].counters);
  await both(holdIncoming);
  const [annBefore, bobBefore] = await counters();

  for (let round = 0; round < ROUNDS; round += 1) {
    await both(() => window.incoming.hold());
    await both(renegotiate, round);
    await bothUntil(() => window.incoming.collision());
    await both(() => window.incoming.release());
    await bothUntil(() => {
      const [peer] = window.lunasigCall.peers();
      return (
        peer.signalingState === 'stable' &&
        peer.connectionState === 'connected' &&
        window.renegotiated()
      );
    });
    // One side at least sends video after each round: the other decodes more of it, and sound goes
    // on both ways.
    const [annHas, bobHas] = await both(() => window.lunasigCall.stats().then(([peer]) => peer));
    await until(
      bob,
      async (frames) => (await window.lunasigCall.stats())[0].framesDecoded > frames + 2,
      bobHas.framesDecoded,
    );
    await until(
      ann,
      async (packets) => (await window.lunasigCall.stats())[0].audioPackets > packets + 2,
      annHas.audioPackets,
    );
  }

  const [annAfter, bobAfter] = await counters();
  assert.equal(
    annAfter.ignored - annBefore.ignored,
    ROUNDS,
    'the impolite one ignored every colliding offer',
  );
  assert.equal(bobAfter.yielded - bobBefore.yielded, ROUNDS, 'the polite one gave way every time');
  assert.equal(
    annAfter.resent + bobAfter.resent,
    0,
    'nobody needed the second attempt after a lost offer',
  );
});

/** Runs in the page: its first offer is made in the moment in which that of the other comes. */
function meetInTheFirstOffer() {
  let seen;
  const theirOffer = new Promise((resolve) => {
    seen = resolve;
  });
  window.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener('message', ({ data }) => {
        if (JSON.parse(data).type === 'offer') seen();
      });
    }
  };
  const { prototype } = RTCPeerConnection;
  const { setLocalDescription } = prototype;
  prototype.setLocalDescription = async function make(...parameters) {
    await theirOffer;
    return setLocalDescription.apply(this, parameters);
  };
}

test('both may make the very first offer at the same instant', TIMEOUT, async () => {
  for (let i = 0; i < 3; i += 1) {
    const room = newRoom();
    const ann = await enter(room, 'ann');
    await ann.page.evaluate(() => {
      window.lunasigCall.session.call.timing.firstOffer = 0; // does not wait for the newcomer
    });
    const bob = await enter(room, 'bob', {}, meetInTheFirstOffer);
    await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
    const [{ polite, counters }] = await bob.page.evaluate(() => window.lunasigCall.peers());
    assert.deepEqual([polite, counters.yielded, counters.resent], [true, 1, 0]);
    await dismiss();
  }
});

test('a phone of 360 pixels scrolls in one direction only', TIMEOUT, async () => {
  const room = newRoom();
  const ann = await enter(room, 'ann', { width: 360, height: 740 });
  const fits = (guest) =>
    guest.page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      window: window.innerWidth,
      wide: [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > 361)
        .map((e) => e.outerHTML.slice(0, 80)),
    }));
  const none = { page: 360, window: 360, wide: [] };
  assert.deepEqual(await fits(ann), none);
  const bob = await enter(room, 'bob-with-a-name-that-is-rather-long-1234');
  await inCallWith(ann, 1);
  assert.deepEqual(await fits(ann), none);
  await bob.page.type('#text', 'w'.repeat(300));
  await bob.page.keyboard.press('Enter');
  await until(ann, () => document.querySelectorAll('.words').length > 1);
  assert.deepEqual(await fits(ann), none);
  await ann.page.click('#tab-frames');
  await ann.page.click('#frame-list li:first-child summary');
  assert.deepEqual(await fits(ann), none);
  await ann.page.click('#leave');
  assert.deepEqual(await fits(ann), none);
});

test(
  'the signaling panel keeps the last 200 frames and shortens descriptions',
  TIMEOUT,
  async () => {
    const { ann, bob } = await pair();
    await ann.page.click('#tab-frames');
    const offer = await ann.page.$eval('#frame-list', (list) => {
      const summary = list.querySelector('[data-type="offer"] summary');
      summary.click();
      return new Promise((resolve) => {
        requestAnimationFrame(() => resolve(summary.parentElement.textContent));
      });
    });
    assert.match(offer, /offer/);
    await until(ann, () => {
      const shown =
        document.querySelector('#frame-list [data-type="offer"] pre')?.textContent ?? '';
      return /"sdp": "… \d+ characters: /.test(shown) && !shown.includes('a=ice-ufrag');
    });
    await bob.page.evaluate(() => {
      const { signal } = window.lunasigCall.session;
      const [frame] = [
        {
          direction: 'in',
          at: new Date(),
          frame: { type: 'chat-message', payload: {}, sender_id: 'x' },
        },
      ];
      for (let i = 0; i < 300; i += 1) signal.emit('frame', frame);
    });
    assert.equal(await bob.page.$$eval('#frame-list li', (entries) => entries.length), 200);
  },
);

test('without camera and microphone one joins, watches and chats', TIMEOUT, async () => {
  const room = newRoom();
  const ann = await enter(room, 'ann');
  const bob = await enter(room, 'bob', {}, () => {
    navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException('no device', 'NotFoundError'));
    // Browsers keep the sound off where nobody has clicked and no microphone is open.
    const { play } = HTMLMediaElement.prototype;
    let blocked = true;
    addEventListener('click', ({ target }) => (blocked &&= target.id !== 'title'), true);
    HTMLMediaElement.prototype.play = function () {
      return blocked ? Promise.reject(new DOMException('', 'NotAllowedError')) : play.call(this);
    };
  });
  await inCallWith(bob, 1);
  // Where there is more to say, both are said.
  await until(bob, () => {
    const { textContent } = document.querySelector('#notice-text');
    return /watch and chat/.test(textContent) && /keeps the sound off/.test(textContent);
  });
  await bob.page.click('#title');
  assert.doesNotMatch(
    await bob.page.$eval('#notice-text', (notice) => notice.textContent),
    /keeps the sound off/,
  );
  assert.match(
    await bob.page.$eval('#notice-text', (notice) => notice.textContent),
    /watch and chat/,
  );
  assert.equal(await bob.page.$eval('#mute', (button) => button.disabled), true);
  await bob.page.type('#text', 'hello from the dark');
  await bob.page.keyboard.press('Enter');
  await until(ann, () =>
    [...document.querySelectorAll('.words')].some(
      (words) => words.textContent === 'hello from the dark',
    ),
  );
});

test('a broken connection is built up again, and the call with it', TIMEOUT, async () => {
  const room = newRoom();
  const ann = await enter(room, 'ann', {}, () => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...parameters) {
        super(...parameters);
        window.sockets.push(this);
      }
    };
  });
  const bob = await enter(room, 'bob');
  await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
  const before = await bob.page.evaluate(() => window.lunasigCall.peers()[0].peerId);
  await ann.page.setOfflineMode(true);
  // Offline emulation leaves an open socket alone.
  await ann.page.evaluate(() => window.sockets.at(-1).close(4000, 'broken by the test'));
  await until(ann, () => window.lunasigCall.session.signal.state === 'waiting');
  await until(ann, () => /Reconnecting/.test(document.querySelector('#status').textContent));
  await ann.page.setOfflineMode(false);
  await until(ann, () => window.lunasigCall.session?.signal.state === 'joined');
  await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
  assert.notEqual(await bob.page.evaluate(() => window.lunasigCall.peers()[0].peerId), before);
  ann.problems.length = 0; // the failed attempts are in the console, as they should be
});

test('a quiet call outlives the pings of the server', TIMEOUT, async () => {
  const { ann, bob } = await pair();
  const changes = [];
  for (const guest of [ann, bob]) {
    await guest.page.exposeFunction('stateChanged', (change) => changes.push(change));
    await guest.page.evaluate(() => {
      window.lunasigCall.session.signal.on('state', window.stateChanged);
      window.quietSince = performance.now();
    });
  }
  const enough = 1000 * (2 * PING_S + PONG_S + 1);
  const quiet = (wanted) => performance.now() - window.quietSince > wanted;
  for (const guest of [ann, bob]) await until(guest, quiet, enough);
  assert.deepEqual(changes, [], 'the connection was lost');
});
