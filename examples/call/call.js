// @ts-check
/** The demo page: one call in one room. What goes over the wire is in lunasig.js and mesh.js. */

import { Chat } from './chat.js';
import { byId, wireTabs } from './dom.js';
import { guestToken, openMedia } from './entrance.js';
import { wireFrames } from './frames.js';
import { inspector } from './inspect.js';
import { Call, Lunasig, SendError } from './lunasig.js';
import { Tile } from './tiles.js';

/** @import { Frame, Problem, RoomState, StateChange } from './types.js' */
/** @import { Peer } from './peer.js' */

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

/** Why a line of one's own did not go out. @type {Record<string, string>} */
const FATES = {
  NOT_CONNECTED: 'There is no connection.',
  UNSENT: 'The connection was lost, it may not have arrived.',
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
 *   lastError: string, peerId: string,
 *   muted: boolean, cameraOff: boolean, raised: boolean}} Session
 */
/** @type {Session | null} */
let session = null;
/** What the notice says, and whether it says besides that the sound is off. */
const noticed = { text: '', soundOff: false };

// --- words ---------------------------------------------------------------------------------------

/** @param {string} text @param {'idle' | 'busy' | 'good' | 'bad'} tone */
function showStatus(text, tone) {
  ui.status.textContent = text;
  ui.status.dataset.tone = tone;
}

/** @param {string} text empty: takes it away */
function showNotice(text) {
  noticed.text = text;
  paintNotice();
}

/** @param {boolean} off */
function showSoundOff(off) {
  noticed.soundOff = off;
  paintNotice();
}

function paintNotice() {
  const sound = 'Your browser keeps the sound off until you click anywhere in this page.';
  const texts = [noticed.text, noticed.soundOff ? sound : ''].filter(Boolean);
  ui.noticeText.textContent = texts.join(' ');
  ui.notice.hidden = texts.length === 0;
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
  showAway();
  announce(peer.peerId);
}

/** Whom the server waits for; he may be seen and heard all the same. */
function showAway() {
  for (const [key, tile] of session?.tiles ?? []) {
    if (key !== OWN) tile.setAway(session?.signal.members.get(tile.userId)?.away === true);
  }
}

/** @param {Peer} peer */
function onTrack(peer) {
  const tile = session?.tiles.get(peer.peerId);
  if (!tile) return;
  tile.setStream(peer.stream);
  tile.video.play().catch((error) => {
    if (error.name !== 'NotAllowedError') return; // a newer stream took its place
    showSoundOff(true);
    addEventListener('click', () => playAll(), { once: true });
  });
}

function playAll() {
  showSoundOff(false);
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
    chat.hear(author, payload.content, frame.timestamp ? new Date(frame.timestamp) : new Date());
  } else if (type === 'media-control') {
    for (const tile of tilesOf(frame)) {
      if (payload.action === 'mute' || payload.action === 'unmute')
        tile.setMuted(payload.action === 'mute');
      else tile.setCameraOff(payload.action === 'video_off');
    }
  } else if (type === 'hand-raise') {
    for (const tile of tilesOf(frame)) tile.setHand(payload.raised === true);
    if (payload.raised === true) chat.add(null, `${author} raised a hand`);
  }
}

/** @param {StateChange} change */
function onState({ state, previous, attempt, code = 0, reason = '' }) {
  if (state === 'connecting' && (previous === 'idle' || previous === 'closed')) {
    showStatus('Connecting…', 'busy');
  } else if (state === 'joined') {
    showStatus('Connected', 'good');
    if (attempt > 0) showNotice('');
  } else if (state === 'waiting') {
    // What was said between the browsers goes on without the server.
    const talking = session?.call.peers.size;
    showStatus(talking ? 'Reconnecting, the call goes on' : 'Reconnecting…', 'busy');
  } else if (state === 'closed') {
    leave(CLOSES[code] ?? (session?.lastError || reason || 'The server ended the connection.'));
  }
}

/** @param {RoomState} state */
function onRoomState(state) {
  const own = state.participants.find((one) => one.user_id === state.self.user_id);
  if (own) session?.tiles.get(OWN)?.rename(plainName(own.username), true);
  showAway();
  if (!session || session.peerId === state.self.peer_id) return; // back where we were
  session.peerId = state.self.peer_id;
  const others = state.participants
    .filter((one) => one !== own)
    .map((one) => plainName(one.username));
  chat.add(null, others.length ? `Here already: ${others.join(', ')}` : 'You are the first here');
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
    peerId: '',
    muted: false,
    cameraOff: false,
    raised: false,
  };
  showStage(name, room);

  signal.on('state', onState);
  signal.on('room-state', onRoomState);
  signal.on('joined', ({ username }) => chat.add(null, `${plainName(username)} joined`));
  signal.on('left', ({ username }) => chat.add(null, `${plainName(username)} left`));
  signal.on('away', showAway);
  signal.on('back', showAway);
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
  chat.clear();
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
  showSoundOff(false);
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

/** @param {string} content */
async function say(content) {
  if (!session) return;
  const sent = session.signal.sendAcked('chat-message', {
    content,
    message_type: 'text',
    message_id: messageId(),
  });
  await sent.catch((error) => {
    const code = error instanceof SendError ? error.code : '';
    throw new Error(FATES[code] ?? ERRORS[code] ?? 'The server refused it.');
  });
}

const chat = new Chat(
  { list: ui.lines, form: ui.say, text: ui.text, tab: ui.tabChat },
  say,
);
const showFrame = wireFrames(
  byId('frame-list', HTMLElement),
  byId('frame-count', HTMLElement),
  byId('frames-clear', HTMLButtonElement),
  nameOf,
);

wireTabs([ui.tabChat, ui.tabFrames], (tab) => {
  if (tab === ui.tabChat) chat.markRead();
});
ui.join.addEventListener('submit', (event) => {
  event.preventDefault();
  join(ui.name.value.trim(), ui.room.value.trim());
});
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

Object.assign(window, { lunasigCall: inspector(() => session) });

const wishes = new URLSearchParams(location.search);
ui.name.value = wishes.get('name') ?? '';
ui.room.value = wishes.get('room') ?? `moon-${Math.random().toString(36).slice(2, 7)}`;
if (wishes.get('auto') === '1' && ui.join.reportValidity()) ui.join.requestSubmit();
else (ui.name.value ? ui.enter : ui.name).focus();
