// url.js - what is looked at, as the part of the address behind #: VIEW?key=value&…
// Everything else of the page follows from it, so that back, forward and bookmarks work.

const NUMBERS = new Set(['channel', 'row', 'column']);

export function parse(hash) {
  const text = hash.replace(/^#/, '');
  const cut = text.indexOf('?');
  const state = { view: (cut < 0 ? text : text.slice(0, cut)) || 'start' };
  if (cut < 0) return state;
  for (const [key, value] of new URLSearchParams(text.slice(cut + 1))) {
    if (!NUMBERS.has(key)) state[key] = value;
    else if (/^\d+$/.test(value)) state[key] = Number(value);
  }
  return state;
}

export function format(state) {
  const query = new URLSearchParams();
  for (const key of Object.keys(state).sort()) {
    const value = state[key];
    if (key !== 'view' && value !== undefined && value !== null && value !== '') query.set(key, value);
  }
  const text = query.toString();
  return `#${state.view}${text ? `?${text}` : ''}`;
}

// The state after changes; what stands only for the old view goes.
const KEPT = ['model', 'image', 'preprocess', 'withModel', 'withImage', 'layer', 'methods', 'classes', 'target', 'at', 'order', 'scale'];
export function changed(state, changes) {
  const next = {};
  const isSameView = !changes.view || changes.view === state.view;
  for (const [key, value] of Object.entries(state))
    if (isSameView || KEPT.includes(key)) next[key] = value;
  return { ...next, ...changes, view: changes.view || state.view };
}

// What is compared: the network and picture that are looked at, and those beside them.
// Each as the interface wants it: its model, and what stands in every question about a picture.
export function pairs(state) {
  const { model, image, preprocess } = state;
  const first = { model, image, preprocess };
  if (!state.withModel && !state.withImage) return [first];
  return [first, { model: state.withModel || model, image: state.withImage || image, preprocess }];
}

export const asked = ({ image, preprocess }) => ({ image, preprocess });
