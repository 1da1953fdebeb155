// A live call in headless Chromium while its signaling breaks: the media do not notice.

import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { afterEach, test } from 'node:test';

import { DEADLINE_MS, inCallWith, startServer } from './harness.js';
import { call, heard, keep, morePictures, say, stopAll } from './live_call.js';
import { undisturbed, until, untilState, watched } from './live_call.js';
import { startProxy } from './proxy.js';

const TIMEOUT = { timeout: 4 * DEADLINE_MS };
const SECRET = 'a secret of the browser tests, 32 bytes at least';

afterEach(stopAll);

test('a call goes on while its connection to the server is cut', TIMEOUT, async (t) => {
  const server = keep(await startServer());
  const proxy = keep(await startProxy(server.port));
  const { ann, bob } = await call(server, { annUrl: proxy.url });

  proxy.admit(false);
  proxy.cut();
  await untilState(ann, 'waiting');
  await until(bob, () => document.querySelector('.tile[aria-label="ann"].away') !== null);
  await Promise.all([morePictures(ann, 30), morePictures(bob, 30)]);
  for (const text of ['one', 'two', 'three']) await say(ann, text);
  for (const text of ['vier', 'fünf', 'sechs']) await say(bob, text);
  assert.equal(await ann.page.$$eval('.line.pending', (lines) => lines.length), 3);

  proxy.admit(true);
  await untilState(ann, 'joined');
  await until(bob, () => document.querySelector('.tile.away') === null);
  assert.deepEqual(await heard(ann, 'sechs'), ['one', 'two', 'three', 'vier', 'fünf', 'sechs']);
  assert.deepEqual(await heard(bob, 'three'), ['vier', 'fünf', 'sechs', 'one', 'two', 'three']);
  await until(ann, () => document.querySelector('.line.pending') === null);
  assert.equal((await watched(ann)).states.at(-1), 'resumed');
  await undisturbed(t, ann, bob);
});

test('a connection that swallows everything is noticed', TIMEOUT, async (t) => {
  // The old connection looks open to the server, and is all that this user may have.
  const server = keep(await startServer({ WEBSOCKET_CONNECTION_LIMIT: '1' }));
  const proxy = keep(await startProxy(server.port));
  const { ann, bob } = await call(server, { annUrl: proxy.url });
  await ann.page.evaluate(() => {
    Object.assign(window.lunasigCall.session.signal.timing, { quietFor: 1000, pongWithin: 1000 });
    document.dispatchEvent(new Event('visibilitychange')); // after a check the short times hold
  });
  await until(ann, () =>
    [...document.querySelectorAll('#frame-list code')].some((type) => type.textContent === 'pong'),
  );

  proxy.swallow();
  await say(ann, 'lost on the way');
  await say(bob, 'lost too');
  await until(ann, () => window.watch.states.includes('resumed'));
  assert.deepEqual(await heard(ann, 'lost too'), ['lost on the way', 'lost too']);
  assert.deepEqual(await heard(bob, 'lost on the way'), ['lost too', 'lost on the way']);
  await undisturbed(t, ann, bob);
});

test('the answer to a resumption is lost: it is asked for once more', TIMEOUT, async (t) => {
  const server = keep(await startServer());
  const proxy = keep(await startProxy(server.port));
  const { ann, bob } = await call(server, { annUrl: proxy.url });
  await ann.page.evaluate(() => {
    window.lunasigCall.session.signal.timing.joinWithin = 2000;
  });
  proxy.deafen();
  proxy.cut();
  await until(ann, () => window.watch.states.includes('waiting'));
  await say(ann, 'said once');
  await until(ann, () => window.watch.states.includes('resumed'));
  assert.equal((await watched(ann)).states.filter((state) => state === 'open').length, 2);
  assert.deepEqual(await heard(bob, 'said once'), ['said once']);
  await undisturbed(t, ann, bob);
});

test('where frames were lost the peers find new paths', TIMEOUT, async (t) => {
  const server = keep(await startServer({ RESUME_FRAMES: '2' }));
  const proxy = keep(await startProxy(server.port));
  const { ann, bob } = await call(server, { annUrl: proxy.url });
  proxy.admit(false);
  proxy.cut();
  await untilState(ann, 'waiting');
  for (const text of ['one', 'two', 'three', 'four']) await say(bob, text);
  await until(bob, () => document.querySelector('.line.pending') === null);
  await say(ann, 'kept');
  proxy.admit(true);
  await until(ann, () => window.watch.states.includes('resumed with loss'));
  assert.deepEqual((await heard(bob, 'kept')).slice(-1), ['kept']);
  await until(ann, () => {
    const [{ counters, signalingState }] = window.lunasigCall.peers();
    return counters.restarts === 1 && signalingState === 'stable';
  });
  await undisturbed(t, ann, bob);
});

test('a server is stopped and started again under a call', TIMEOUT, async (t) => {
  const server = keep(await startServer());
  const { ann, bob } = await call(server);
  await server.restart();
  for (const guest of [ann, bob]) await until(guest, () => window.watch.states.includes('resumed'));
  await say(ann, 'still here?');
  await say(bob, 'yes');
  for (const guest of [ann, bob]) await heard(guest, 'still here?');
  for (const guest of [ann, bob]) await heard(guest, 'yes');
  await undisturbed(t, ann, bob);
});

test('after a crash of the server the call is built anew', TIMEOUT, async (t) => {
  const server = keep(await startServer());
  const { ann, bob } = await call(server);
  const before = await ann.page.evaluate(() => window.lunasigCall.peers()[0].peerId);
  await server.restart('SIGKILL');
  await until(ann, (old) => window.lunasigCall.peers()[0]?.peerId !== old, before);
  await Promise.all([inCallWith(ann, 1), inCallWith(bob, 1)]);
  assert.equal((await watched(ann)).states.at(-1), 'joined');
  await say(ann, 'after the crash');
  assert.deepEqual(await heard(bob, 'after the crash'), ['after the crash']);
  const gaps = await Promise.all([ann, bob].map((guest) => watched(guest)));
  for (const { longestGapMs } of gaps)
    t.diagnostic(`longest gap between pictures ${Math.round(longestGapMs)} ms`);
});

/** An access token as the server makes them. */
function token(name, lifeS) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: name, iat: now, exp: now + lifeS, jti: randomUUID(), type: 'access' };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

test('tokens that end are renewed under a call', TIMEOUT, async (t) => {
  const server = keep(await startServer({ JWT_SECRET_KEY: SECRET, JWT_LEEWAY_S: '0' }));
  const renewals = { ann: 0, bob: 0 };
  const prepare = async ({ page }, name) => {
    await page.exposeFunction('makeToken', () => {
      renewals[name] += 1;
      return token(name, 12);
    });
    await page.evaluateOnNewDocument(() => {
      const { fetch } = window;
      window.fetch = async (resource, ...more) =>
        String(resource) === '/auth/guest'
          ? new Response(JSON.stringify({ access_token: await window.makeToken() }))
          : fetch(resource, ...more);
    });
  };
  const { ann, bob } = await call(server, { prepare });
  for (const guest of [ann, bob]) {
    await guest.page.evaluate(() => {
      window.lunasigCall.session.signal.timing.refreshAgain = 4000;
    });
  }
  const begun = Date.now();
  await until(ann, (end) => Date.now() > end, begun + 20_000);
  for (const guest of [ann, bob]) assert.deepEqual((await watched(guest)).states, []);
  assert.ok(renewals.ann > 2 && renewals.bob > 2, JSON.stringify(renewals));
  await say(ann, 'with a fresh token');
  await heard(bob, 'with a fresh token');
  await undisturbed(t, ann, bob);
});
