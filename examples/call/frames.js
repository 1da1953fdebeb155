// @ts-check
/** The panel that shows the signaling frames as they come. */

import { appendBounded, make } from './dom.js';

const FRAMES_MAX = 200;

/** @typedef {import('./types.js').LunasigEvents['frame']} FrameEvent */

/** Not for eyes that see this screen too. */
const SECRET_KEYS = new Set(['credential', 'resume', 'resume_token', 'ticket', 'token']);

/**
 * Session descriptions are long and rarely what one looks for.
 * @param {string} key
 * @param {unknown} value
 */
function shorten(key, value) {
  if (SECRET_KEYS.has(key)) return '…';
  if (key !== 'sdp' || typeof value !== 'string') return value;
  const media = [...value.matchAll(/^m=(\w+)/gm)].map((match) => match[1]);
  return `… ${value.length} characters: ${media.join(', ') || 'no media'}`;
}

/** @param {Date} date */
function preciseTime(date) {
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} count
 * @param {HTMLButtonElement} clear
 * @param {(id: string) => string} nameOf a user_id or peer_id in words
 * @returns {(event: FrameEvent) => void}
 */
export function wireFrames(list, count, clear, nameOf) {
  let total = 0;
  const showCount = () => {
    const kept = list.childElementCount;
    count.textContent = total > kept ? `${total} frames, the last ${kept}` : `${total} frames`;
  };
  clear.addEventListener('click', () => {
    list.replaceChildren();
    total = 0;
    showCount();
  });
  /** @param {FrameEvent} event */
  const other = (event) => {
    if (event.direction === 'out') return event.frame.target_id ?? null;
    return event.frame.sender_peer_id || event.frame.sender_id || null;
  };
  return (event) => {
    const { direction, at, frame } = event;
    const incoming = direction === 'in';
    const nobody = incoming ? 'server' : 'everybody';
    const partner = other(event);
    const details = make(
      'details',
      {},
      make(
        'summary',
        {},
        make('span', { class: 'arrow', text: incoming ? '↓' : '↑' }),
        make('span', { class: 'unseen', text: incoming ? 'received' : 'sent' }),
        make('time', { text: preciseTime(at) }),
        make('code', { text: String(frame.type) }),
        make('span', {
          class: 'other',
          text: `${incoming ? 'from' : 'to'} ${partner ? nameOf(partner) : nobody}`,
        }),
      ),
    );
    // The text is made when somebody looks.
    const fill = () => details.append(make('pre', { text: JSON.stringify(frame, shorten, 2) }));
    details.addEventListener('toggle', fill, { once: true });
    const entry = make('li', {}, details);
    entry.dataset.direction = direction;
    entry.dataset.type = String(frame.type);
    total += 1;
    appendBounded(list, entry, FRAMES_MAX);
    showCount();
  };
}
