// panel_kernel.js - the weights of a channel: in colour where its filter sees colours, else a slice for
// each channel that it reads, the heaviest first.
import { make } from './dom.js';
import { Scale, tell } from './colour.js';
import { address, askJson } from './api.js';
import { hint, plain, saves } from './parts.js';
import { paintNumbers } from './numbers.js';

const SLICES = 24;

function paintColours(rows, columns, numbers, limit) {
  const canvas = make('canvas', { width: columns, height: rows, class: 'cellsmap' });
  const context = canvas.getContext('2d');
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = 128 + (127 * numbers[3 * i + k]) / limit;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// The layer whose channels a layer reads, past those that leave channels as they are.
function readsFrom(model, name) {
  const layer = model.layers.find((one) => one.name === name);
  return layer && layer.from && layer.from.length === 1 ? layer.from[0] : null;
}

// A layer with a few numbers a channel, a normalisation say.
const own = (told) => hint(Object.entries((told && told.own) || {}).map(([name, value]) => `${name} ${tell(value)}`).join(', ') || 'This layer has learned nothing of its own.');

export async function showKernel(env, state, model, signal) {
  const layer = model.layers.find((one) => one.name === state.layer);
  const told = !layer || layer.parameters === 0 ? null
    : await askJson(address(['models', state.model, 'layers', state.layer, 'weights'], { channel: state.channel }), signal);
  if (!told || !told.kernel) return own(told);
  const { numbers, shape: [rows, columns, deep] } = told.kernel;
  const first = told.first_channel || 0;
  const limit = Math.max(...numbers.map(Math.abs)) || 1;
  const parts = [];
  const bias = told.bias === undefined || told.bias === null ? '' : ` To the sum it adds its bias, ${tell(told.bias)}.`;
  const scale = new Scale(true, limit);
  const slice = (k) => paintNumbers(rows, columns, (r, c) => numbers[(r * columns + c) * deep + k], scale);
  let whole;
  if (deep === 3 && env.isFirst(model, state.layer)) {
    whole = paintColours(rows, columns, numbers, limit);
    parts.push(make('div', { class: 'kernel' }, make('figure', { class: 'first' }, whole, make('figcaption', {}, 'as colour')),
      ...['red', 'green', 'blue'].map((name, k) => make('figure', {}, slice(k), make('figcaption', {}, name)))));
  } else {
    const weight = (k) => { let sum = 0; for (let i = 0; i < rows * columns; i++) sum += Math.abs(numbers[i * deep + k]); return sum; };
    const order = Array.from({ length: deep }, (_, k) => k).map((k) => [weight(k), k]).sort((a, b) => b[0] - a[0]).slice(0, SLICES);
    const from = readsFrom(model, state.layer);
    const hasMap = model.layers.some((one) => one.name === from && one.is_map && one.class !== 'InputLayer');
    parts.push(make('div', { class: 'kernel' }, ...order.map(([, k]) => {
      const caption = hasMap ? make('a', { href: env.href({ layer: from, channel: first + k, row: null, column: null }), 'aria-label': `${from}, channel ${first + k}` }, `${first + k}`) : `${first + k}`;
      return make('figure', {}, slice(k), make('figcaption', {}, caption));
    })));
    whole = parts[0].querySelector('canvas');
    parts.push(hint(`${deep > SLICES ? `The ${SLICES} heaviest of ${deep} slices; ` : ''}each number is a channel${from ? ` of ${from}` : ''} that it reads.`));
  }
  parts.push(hint(`${rows} × ${columns} × ${deep} weights from ${tell(told.kernel.min)} to ${tell(told.kernel.max)}.${bias}`),
    saves(`${plain(state.layer)}_${state.channel}_kernel`, { png: () => whole }));
  return parts;
}
