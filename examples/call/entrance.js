// @ts-check
/** What one needs before a call: camera and microphone, and a token. */

import { FinalError } from './lunasig.js';

const WISHES = [
  { audio: true, video: { width: { ideal: 640 }, height: { ideal: 480 } } },
  { audio: true },
  { video: true },
];

/**
 * Camera and microphone, or what there is of them.
 * @returns {Promise<{stream: MediaStream | null, problem: string}>} problem: why there is nothing,
 *   else empty
 */
export async function openMedia() {
  if (!navigator.mediaDevices) {
    const problem = 'Browsers give camera and microphone only to https pages and to localhost.';
    return { stream: null, problem: `${problem} You can watch and chat.` };
  }
  let problem = 'No camera or microphone could be opened.';
  for (const wish of WISHES) {
    try {
      return { stream: await navigator.mediaDevices.getUserMedia(wish), problem: '' };
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        problem = 'Camera and microphone are not allowed for this page.';
      }
    }
  }
  return { stream: null, problem: `${problem} You can watch and chat.` };
}

/** A token for a guest of that name. @param {string} name @returns {Promise<string>} */
export async function guestToken(name) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch('/auth/guest', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name }),
      signal: AbortSignal.timeout(10000),
    });
  } catch {
    throw new Error('The server cannot be reached. Trying again…');
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body.access_token;
  const detail = Array.isArray(body.detail) ? body.detail[0]?.msg : body.detail;
  if (answer.status === 403 || answer.status === 404)
    throw new FinalError('This server does not let guests in.');
  if (answer.status >= 500 || answer.status === 429)
    throw new Error('The server is busy. Trying again…');
  throw new FinalError(`This name cannot be used: ${detail ?? `error ${answer.status}`}`);
}
