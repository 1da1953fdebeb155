// @ts-check
/** The demo page: one call in one room. What goes over the wire is in lunasig.js and mesh.js. */

import { appendBounded, byId, clockTime, make, wireTabs } from './dom.js';
import { guestToken, openMedia } from './entrance.js';
import { wireFrames } from './frames.js';
import { Call, Lunasig } from './lunasig.js';
import { Tile } from './tiles.js';

/** @import { Frame, Problem, RoomState, StateChange } from './lunasig.js' */
/** @import { Peer } from './mesh.js' */

const LINES_MAX = 300;
const OWN = 'own';

const ui = {
  title: byId('title', HTMLHeadingElement),
  status: byId('status', HTMLElement),
  notice: byId('notice', HTMLElement),
  noticeText: byId('notice-text', HTMLElement),
  noticeClose: byId('notice-close', HTMLButtonElement),
  lobby: byId('lobby', HTMLElement),
  join: byId('join', HTMLFormElement),
  name: byId('name', HTMLInputElement),
  room: byId('room', HTMLInputElement),
  enter: byId('enter', HTMLButtonElement),
  stage: byId('stage', HTMLElement),
  tiles: byId('tiles', HTMLElement),
  alone: byId('alone', HTMLElement),
  link: byId('link', HTMLInputElement),
  copy: byId('copy', HTMLButtonElement),
  copyAgain: byId('copy-again', HTMLButtonElement),
  mute: byId('mute', HTMLButtonElement),
  camera: byId('camera', HTMLButtonElement),
  hand: byId('hand', HTMLButtonElement),
  leave: byId('leave', HTMLButtonElement),
  tabChat: byId('tab-chat', HTMLButtonElement),
  tabFrames: byId('tab-frames', HTMLButtonElement),
  lines: byId('lines', HTMLElement),
  say: byId('say', HTMLFormElement),
  text: byId('text', HTMLInputElement),
};

/** What the codes of the server mean to somebody in a call. @type {Record<string, string>} */
const ERRORS = {
  ROOM_FULL: 'This room is full.',
  ROOM_LOCKED: 'This room is locked.',
  PERMISSION_DENIED: 'You may not do that in this room.',
  RATE_LIMIT_EXCEEDED: 'That was too fast, the server refused it.',
  MESSAGE_TOO_LARGE: 'That is too long to be sent.',
  TOKEN_EXPIRED: 'Your access has ended. Join again.',
  TOKEN_INVALID: 'The server did not accept your access. Join again.',
};

/** @type {Record<number, string>} */
const CLOSES = {
  1000: '',
  1006: 'The server cannot be reached. Try again later.',
  4403: 'You were removed from this room.',
  4409: 'You joined from another window, this one has left.',
};

/**
 * All that lives from Join to Leave.
 * @typedef {{signal: Lunasig, call: Call, tiles: Map<string, Tile>, stream: MediaStream | null,
 *   lastError: string,
 *   muted: boolean, cameraOff: boolean, raised: boolean}} Session
 */
/** @type {Session | null} */
let session = null;
let unread = 0;

// --- words ---------------------------------------------------------------------------------------

/** @param {string} text @param {'idle' | 'busy' | 'good' | 'bad'} tone */
function showStatus(text, tone) {
  ui.status.textContent = text;
  ui.status.dataset.tone = tone;
}

/** @param {string} text empty: takes it away */
function showNotice(text) {
  ui.noticeText.textContent = text;
  ui.notice.hidden = !text;
}

/** @param {string} name */
const plainName = (name) => name.replace(/^guest_/, '');

/** The name behind a user_id or a peer_id. @param {string} id */
function nameOf(id) {
  if (!session) return id;
  const { self, members } = session.signal;
  if (self && (id === self.peer_id || id === self.user_id)) return 'you';
  const userId = session.call.peers.get(id)?.userId ?? id;
  return plainName(members.get(userId)?.username ?? userId);
}

/** @param {string | null} author null: the page itself @param {string} text @param {Date} at */
function addLine(author, text, at = new Date()) {
  const time = make('time', { text: clockTime(at) });
  const words = make('span', { class: 'words', text });
  const line =
    author === null
      ? make('li', { class: 'line event' }, words, time)
      : make(
          'li',
          { class: author === 'You' ? 'line mine' : 'line' },
          make('span', { class: 'author', text: author }),
          time,
          words,
        );
  appendBounded(ui.lines, line, LINES_MAX);
}

function showUnread() {
  ui.tabChat.textContent = unread ? `Chat (${unread})` : 'Chat';
}

// --- media ---------------------------------------------------------------------------------------

/** @param {MediaStreamTrack['kind']} kind */
const ownTracks = (kind) =>
  session?.stream?.getTracks().filter((track) => track.kind === kind) ?? [];

/** @param {HTMLButtonElement} button @param {boolean} pressed @param {string} text */
function showToggle(button, pressed, text) {
  button.setAttribute('aria-pressed', String(pressed));
  const label = button.querySelector('span');
  if (label) label.textContent = text;
}

/**
 * The state of the own devices, to everybody or to somebody who has just come.
 * @param {string} [target]
 */
function announce(target) {
  if (!session) return;
  const { signal, muted, cameraOff, raised } = session;
  if (muted) signal.send('media-control', { action: 'mute', media_type: 'audio' }, { target });
  if (cameraOff)
    signal.send('media-control', { action: 'video_off', media_type: 'video' }, { target });
  if (raised) signal.send('hand-raise', { raised: true }, { target });
}

/** @param {boolean} muted */
function setMuted(muted) {
  if (!session) return;
  session.muted = muted;
  for (const track of ownTracks('audio')) track.enabled = !muted;
  session.tiles.get(OWN)?.setMuted(muted);
  showToggle(ui.mute, muted, muted ? 'Unmute' : 'Mute');
}

/** @param {boolean} off */
function setCameraOff(off) {
  if (!session) return;
  session.cameraOff = off;
  for (const track of ownTracks('video')) track.enabled = !off;
  session.tiles.get(OWN)?.setCameraOff(off);
  showToggle(ui.camera, off, off ? 'Camera on' : 'Camera off');
}

/** @param {boolean} raised */
function setHand(raised) {
  if (!session) return;
  session.raised = raised;
  session.tiles.get(OWN)?.setHand(raised);
  showToggle(ui.hand, raised, raised ? 'Lower hand' : 'Raise hand');
}

// --- tiles ---------------------------------------------------------------------------------------

/** @param {string} key @param {Tile} tile */
function addTile(key, tile) {
  session?.tiles.set(key, tile);
  ui.tiles.insertBefore(tile.element, ui.alone);
  showCompany();
}

/** @param {string} key */
function removeTile(key) {
  session?.tiles.get(key)?.remove();
  session?.tiles.delete(key);
  showCompany();
}

function showCompany() {
  const count = session?.tiles.size ?? 0;
  ui.alone.hidden = count > 1;
  ui.tiles.dataset.count = String(Math.max(count, 2));
}

/** @param {Peer} peer */
function onPeer(peer) {
  addTile(peer.peerId, new Tile({ userId: peer.userId, name: plainName(peer.username) }));
  session?.tiles.get(peer.peerId)?.setState('new');
  announce(peer.peerId);
}

/** @param {Peer} peer */
function onTrack(peer) {
  const tile = session?.tiles.get(peer.peerId);
  if (!tile) return;
  tile.setStream(peer.stream);
  tile.video.play().catch((error) => {
    if (error.name !== 'NotAllowedError') return; // a newer stream took its place
    showNotice('Your browser keeps the sound off until you click anywhere in this page.');
    addEventListener('click', () => playAll(), { once: true });
  });
}

function playAll() {
  showNotice('');
  for (const tile of session?.tiles.values() ?? []) tile.video.play().catch(() => {});
}

/**
 * The tiles of somebody: of the connection that spoke, else of all that he has.
 * @param {Frame} frame
 */
function tilesOf(frame) {
  const all = [...(session?.tiles.entries() ?? [])];
  const one = all.filter(([key]) => key === frame.sender_peer_id);
  return (
    one.length ? one : all.filter(([key, tile]) => key !== OWN && tile.userId === frame.sender_id)
  ).map(([, tile]) => tile);
}

// --- what the others say -------------------------------------------------------------------------

/** @param {Frame} frame */
function onMessage(frame) {
  const { type, payload } = frame;
  // Not the user: somebody may be here twice, and another tab of mine is not me.
  const author = nameOf(frame.sender_peer_id ?? frame.sender_id ?? '');
  if (type === 'chat-message' && typeof payload.content === 'string') {
    addLine(author, payload.content, frame.timestamp ? new Date(frame.timestamp) : new Date());
    if (ui.tabChat.getAttribute('aria-selected') !== 'true') unread += 1;
    showUnread();
  } else if (type === 'media-control') {
    for (const tile of tilesOf(frame)) {
      if (payload.action === 'mute' || payload.action === 'unmute')
        tile.setMuted(payload.action === 'mute');
      else tile.setCameraOff(payload.action === 'video_off');
    }
  } else if (type === 'hand-raise') {
    for (const tile of tilesOf(frame)) tile.setHand(payload.raised === true);
    if (payload.raised === true) addLine(null, `${author} raised a hand`);
  }
}

/** @param {StateChange} change */
function onState({ state, previous, attempt, code = 0, reason = '' }) {
  if (state === 'connecting' && previous !== 'waiting') {
    showStatus('Connecting…', 'busy');
  } else if (state === 'joined') {
    showStatus('Connected', 'good');
    if (attempt > 0) showNotice('');
  } else if (state === 'waiting') {
    showStatus('Connection lost. Trying again…', 'busy');
  } else if (state === 'closed') {
    leave(CLOSES[code] ?? (session?.lastError || reason || 'The server ended the connection.'));
  }
}

/** @param {RoomState} state */
function onRoomState(state) {
  const own = state.participants.find((one) => one.user_id === state.self.user_id);
  if (own) session?.tiles.get(OWN)?.rename(plainName(own.username), true);
  const others = state.participants
    .filter((one) => one !== own)
    .map((one) => plainName(one.username));
  addLine(null, others.length ? `Here already: ${others.join(', ')}` : 'You are the first here');
}

/** @param {Problem} problem */
function onError({ code, message, source }) {
  // Somebody was spoken to in the moment in which he left; a gap is shown by the panel.
  if (code === 'TARGET_NOT_FOUND' || code === 'SEQUENCE_GAP') return;
  const text = ERRORS[code] ?? message;
  if (session && (source === 'server' || code === 'NO_TOKEN')) session.lastError = text;
  showNotice(text);
}

// --- coming and going ----------------------------------------------------------------------------

/** @param {string} name @param {string} room */
async function join(name, room) {
  ui.enter.disabled = true;
  showNotice('');
  showStatus('Opening camera and microphone…', 'busy');
  const { stream, problem } = await openMedia();
  showNotice(problem);
  const signal = new Lunasig({ room, token: () => guestToken(name) });
  const call = new Call(signal, { stream });
  session = {
    signal,
    call,
    stream,
    tiles: new Map(),
    lastError: '',
    muted: false,
    cameraOff: false,
    raised: false,
  };
  showStage(name, room);

  signal.on('state', onState);
  signal.on('room-state', onRoomState);
  signal.on('joined', ({ username }) => addLine(null, `${plainName(username)} joined`));
  signal.on('left', ({ username }) => addLine(null, `${plainName(username)} left`));
  signal.on('message', onMessage);
  signal.on('error', onError);
  signal.on('frame', showFrame);
  call.on('peer', onPeer);
  call.on('peer-removed', (peer) => removeTile(peer.peerId));
  call.on('peer-state', (peer) =>
    session?.tiles.get(peer.peerId)?.setState(peer.pc?.connectionState ?? 'new'),
  );
  call.on('track', ({ peer }) => onTrack(peer));
  call.on('error', ({ peer, error }) => console.error('negotiation with', peer.peerId, error));
  signal.connect();
}

/** @param {string} name @param {string} room */
function showStage(name, room) {
  const link = new URL(`?room=${room}`, location.href).href;
  history.replaceState(null, '', link);
  ui.link.value = link;
  ui.title.textContent = room;
  document.title = `${room} · Lunasig call`;
  ui.lobby.hidden = true;
  ui.stage.hidden = false;
  ui.lines.replaceChildren();
  const own = new Tile({ userId: '', name, own: true });
  own.setStream(session?.stream ?? null);
  addTile(OWN, own);
  ui.mute.disabled = ownTracks('audio').length === 0;
  ui.camera.disabled = ownTracks('video').length === 0;
  setMuted(false);
  setCameraOff(false);
  setHand(false);
  ui.title.focus();
}

/** @param {string} notice why, if it was not the user's wish */
function leave(notice) {
  const ended = session;
  if (!ended) return;
  session = null;
  ended.signal.close();
  ended.call.close();
  for (const track of ended.stream?.getTracks() ?? []) track.stop();
  for (const tile of ended.tiles.values()) tile.remove();
  ui.stage.hidden = true;
  ui.lobby.hidden = false;
  ui.enter.disabled = false;
  ui.title.textContent = 'Video call';
  document.title = 'Lunasig call';
  showStatus('Not in a call', 'idle');
  showNotice(notice);
  ui.enter.focus();
}

/** @param {HTMLButtonElement} button */
async function copyLink(button) {
  const label = button.querySelector('span') ?? button;
  const before = 'Copy';
  try {
    await navigator.clipboard.writeText(ui.link.value);
    label.textContent = 'Copied';
    setTimeout(() => {
      label.textContent = button === ui.copy ? before : 'Copy link';
    }, 2000);
  } catch {
    // No clipboard outside of https and localhost: the link is in the address line too.
    showNotice(`Copy this link: ${ui.link.value}`);
  }
}

/** Unique enough for one room, also where `crypto.randomUUID` is missing (plain http). */
const messageId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;

/** @param {SubmitEvent} event */
function onSay(event) {
  event.preventDefault();
  const content = ui.text.value.trim();
  if (!session || !content) return;
  if (
    session.signal.send('chat-message', { content, message_type: 'text', message_id: messageId() })
  ) {
    addLine('You', content);
    ui.text.value = '';
  } else {
    showNotice('Not sent: there is no connection at the moment.');
  }
}

const showFrame = wireFrames(
  byId('frame-list', HTMLElement),
  byId('frame-count', HTMLElement),
  byId('frames-clear', HTMLButtonElement),
  nameOf,
);

wireTabs([ui.tabChat, ui.tabFrames], (tab) => {
  if (tab === ui.tabChat) unread = 0;
  showUnread();
});
ui.join.addEventListener('submit', (event) => {
  event.preventDefault();
  join(ui.name.value.trim(), ui.room.value.trim());
});
ui.say.addEventListener('submit', onSay);
ui.noticeClose.addEventListener('click', () => showNotice(''));
ui.copy.addEventListener('click', () => copyLink(ui.copy));
ui.copyAgain.addEventListener('click', () => copyLink(ui.copyAgain));
ui.leave.addEventListener('click', () => leave(''));
ui.mute.addEventListener('click', () => {
  if (!session) return;
  setMuted(!session.muted);
  session.signal.send('media-control', {
    action: session.muted ? 'mute' : 'unmute',
    media_type: 'audio',
  });
});
ui.camera.addEventListener('click', () => {
  if (!session) return;
  setCameraOff(!session.cameraOff);
  session.signal.send('media-control', {
    action: session.cameraOff ? 'video_off' : 'video_on',
    media_type: 'video',
  });
});
ui.hand.addEventListener('click', () => {
  if (!session) return;
  setHand(!session.raised);
  session.signal.send('hand-raise', { raised: session.raised });
});
addEventListener('pagehide', () => leave(''));

/**
 * What a test or a curious person can ask this page; not an interface to build on.
 *   session  null outside of a call, else {signal: Lunasig, call: Call, ...}
 *   peers()  per remote connection its states and the counters of its negotiation
 *   stats()  the same with what getStats() says of the media that comes in
 */
const lunasigCall = {
  get session() {
    return session;
  },
  peers() {
    return [...(session?.call.peers.values() ?? [])].map((peer) => ({
      peerId: peer.peerId,
      userId: peer.userId,
      joinSeq: peer.joinSeq,
      polite: peer.polite,
      connectionState: peer.pc?.connectionState ?? 'new',
      signalingState: peer.pc?.signalingState ?? 'stable',
      counters: { ...peer.counters },
    }));
  },
  async stats() {
    const summaries = this.peers().map(async (summary) => {
      const report = await session?.call.peers.get(summary.peerId)?.pc?.getStats();
      const media = { framesDecoded: 0, audioPackets: 0, bytesReceived: 0 };
      report?.forEach((entry) => {
        if (entry.type !== 'inbound-rtp') return;
        media.bytesReceived += entry.bytesReceived;
        if (entry.kind === 'video') media.framesDecoded += entry.framesDecoded;
        else media.audioPackets += entry.packetsReceived;
      });
      return { ...summary, ...media };
    });
    return Promise.all(summaries);
  },
};
Object.assign(window, { lunasigCall });

const wishes = new URLSearchParams(location.search);
ui.name.value = wishes.get('name') ?? '';
ui.room.value = wishes.get('room') ?? `moon-${Math.random().toString(36).slice(2, 7)}`;
if (wishes.get('auto') === '1' && ui.join.reportValidity()) ui.join.requestSubmit();
else (ui.name.value ? ui.enter : ui.name).focus();
