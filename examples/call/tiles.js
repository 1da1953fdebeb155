// @ts-check
/**
 * One tile per connection in the call: picture, name, and what is known of microphone, camera and
 * hand.
 */

import { make } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  muted:
    'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5 11a7 7 0 0 0 14 0M12 18v3M4 4l16 16',
  hand: [
    'M8 12V5.5a1.5 1.5 0 0 1 3 0V11 4.5a1.5 1.5 0 0 1 3 0V11 6a1.5 1.5 0 0 1 3 0v8',
    'a7 7 0 0 1-13 3.5L3 14a1.5 1.5 0 0 1 2.5-1.5L8 15z',
  ].join(''),
};

/** @param {keyof typeof ICONS} name @param {string} label */
function badge(name, label) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  const element = make(
    'span',
    { class: `badge ${name}` },
    svg,
    make('span', { class: 'unseen', text: label }),
  );
  element.hidden = true;
  return element;
}

/** What the tile says while there is no connection. @type {Record<string, string>} */
const STATES = {
  new: 'No picture or sound yet',
  connecting: 'Connecting…',
  disconnected: 'Connection interrupted…',
  failed: 'Connection failed, trying again…',
};

export class Tile {
  #note = make('p', { class: 'note' });
  #initial = make('span', { class: 'initial' });
  #name = make('span', { class: 'name' });
  #muted = badge('muted', 'microphone off');
  #hand = badge('hand', 'hand raised');
  #cameraOff = false;
  #connectionState = 'connected';
  #away = false;

  /** @param {{userId: string, name: string, own?: boolean}} person */
  constructor({ userId, name, own = false }) {
    this.userId = userId;
    this.video = make('video');
    this.video.autoplay = true;
    this.video.playsInline = true;
    this.video.muted = own; // nobody wants to hear himself
    const label = make('p', { class: 'label' }, this.#name, this.#muted, this.#hand);
    this.element = make(
      'div',
      { class: own ? 'tile own' : 'tile' },
      this.#initial,
      this.video,
      this.#note,
      label,
    );
    this.element.setAttribute('role', 'group');
    this.rename(name, own);
    this.setState('connected');
    // The picture is shown when there is one: a black rectangle tells nothing.
    this.video.addEventListener('resize', () => this.#showPicture());
    this.#showPicture();
  }

  /** @param {string} name @param {boolean} own */
  rename(name, own) {
    this.#name.textContent = own ? `${name} (you)` : name;
    this.#initial.textContent = (Array.from(name.trim())[0] ?? '?').toUpperCase();
    this.element.setAttribute('aria-label', this.#name.textContent);
  }

  /** @param {MediaStream | null} stream */
  setStream(stream) {
    if (this.video.srcObject !== stream) this.video.srcObject = stream;
    this.#showPicture();
  }

  /** @param {string} connectionState of an RTCPeerConnection */
  setState(connectionState) {
    this.#connectionState = connectionState;
    this.element.dataset.state = connectionState;
    this.#showNote();
  }

  /** @param {boolean} away from the server; picture and sound may go on */
  setAway(away) {
    this.#away = away;
    this.element.classList.toggle('away', away);
    this.#showNote();
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted.hidden = !muted;
  }

  /** @param {boolean} off */
  setCameraOff(off) {
    this.#cameraOff = off;
    this.#showPicture();
  }

  /** @param {boolean} raised */
  setHand(raised) {
    this.#hand.hidden = !raised;
    this.element.classList.toggle('raised', raised);
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }

  #showNote() {
    this.#note.textContent = STATES[this.#connectionState] ?? (this.#away ? 'Reconnecting…' : '');
    this.#note.hidden = !this.#note.textContent;
  }

  #showPicture() {
    this.video.classList.toggle('blank', this.#cameraOff || this.video.videoWidth === 0);
  }
}
