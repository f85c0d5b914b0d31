// api.js - asks the viewer's HTTP interface: answers are kept by address, questions can be called
// off, and what goes wrong is told in words.
import { readBytes } from './sheet.js';

const ROOT = '/api/v1/';
const KEPT = 160; // answers
const PATIENCE = 6; // times that a busy viewer is asked again

export class Problem extends Error {
  constructor(status, what, hint = '') {
    super(what);
    this.status = status;
    this.hint = hint;
  }
}

export const isCalledOff = (error) => error && error.name === 'AbortError';

// models/m0/predict and {image: …} to an address; parts of a path are given as a list.
export function address(parts, query = {}) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') search.set(key, value);
  const text = search.toString();
  return ROOT + parts.map(encodeURIComponent).join('/') + (text ? `?${text}` : '');
}

const listeners = { time: () => {}, reach: () => {} };
export const listen = (on) => Object.assign(listeners, on);

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    if (signal) signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('called off', 'AbortError'));
    }, { once: true });
  });
}

async function problemOf(response) {
  let what = `The viewer answered with ${response.status}.`, hint = '';
  try {
    const { error } = await response.json();
    if (error && error.what) ({ what, hint = '' } = error);
  } catch (e) { /* no JSON: the status has to do */ }
  return new Problem(response.status, what, hint);
}

// A response that is fine. A viewer that has too much to do is asked again.
export async function request(url, options = {}) {
  for (let times = 1; ; times++) {
    const began = performance.now();
    let response;
    try {
      response = await fetch(url, options);
    } catch (error) {
      if (isCalledOff(error)) throw error;
      listeners.reach(false);
      throw new Problem(0, 'The viewer does not answer.', 'Is “convscope serve” still running? Start it again with the same files and this page goes on.');
    }
    listeners.reach(true);
    if ((response.status === 503 || response.status === 429) && times < PATIENCE) {
      const seconds = Number(response.headers.get('Retry-After'));
      await pause(Math.min(5000, Math.max(200, seconds * 1000 || 500)), options.signal);
      continue;
    }
    if (!response.ok) throw await problemOf(response);
    listeners.time(performance.now() - began);
    return response;
  }
}

// What was kept is called off as well, so that nobody goes on with a state that is over.
const answers = new Map();
async function kept(key, signal, make) {
  const value = answers.has(key) ? answers.get(key) : await make();
  answers.delete(key); // to the end: used last
  answers.set(key, value);
  if (answers.size > KEPT) answers.delete(answers.keys().next().value);
  if (signal) signal.throwIfAborted();
  return value;
}

export async function askJson(url, signal, isKept = true) {
  const make = async () => (await request(url, { signal })).json();
  return isKept ? kept(url, signal, make) : make();
}

// A gray picture's bytes: {bytes, width, height}.
export function askBytes(url, signal) {
  return kept(url, signal, async () => {
    const file = await (await request(url, { signal })).blob();
    const image = new Image();
    image.src = URL.createObjectURL(file);
    try {
      return await readBytes(image);
    } finally {
      URL.revokeObjectURL(image.src);
    }
  });
}

// The numbers of a .npy file, float32 in C order, little-endian as browsers have them.
export function askNumbers(url, signal) {
  return kept(`numbers ${url}`, signal, async () => {
    const file = await (await request(url, { signal })).arrayBuffer();
    return new Float32Array(file.slice(10 + new DataView(file).getUint16(8, true)));
  });
}

// A picture as an address of this page's own, so that a refusal is told in words.
export function askPicture(url, signal) {
  return kept(`picture ${url}`, signal, async () => URL.createObjectURL(await (await request(url, { signal })).blob()));
}

export async function askText(url, signal) {
  return kept(url, signal, async () => (await request(url, { signal })).text());
}

export async function send(url, body, signal) {
  return request(url, { method: 'POST', body, signal, headers: { 'Content-Type': 'application/octet-stream' } });
}
