// panel_pixel.js - the arithmetic of one number of a map, what it sees, and which pixels would change it.
import { make, unseen } from './dom.js';
import { Scale, tell } from './colour.js';
import { askBytes, askJson } from './api.js';
import { LEVELS } from './sheet.js';
import { fill, hint, plain, plural, saves } from './parts.js';
import { layerAddress } from './layerdata.js';
import { paintNumbers } from './numbers.js';

const SHOWN = 6; // channels whose windows are drawn
const COLOURS = ['red', 'green', 'blue'];

const sign = (value) => (value < 0 ? `− ${tell(-value)}` : `+ ${tell(value)}`);
const term = (value, name, kind = '') => make('span', { class: `term ${kind}` }, make('span', {}, value), make('small', {}, name));

const largest = (lists) => Math.max(1e-30, ...lists.flat().filter((v) => v !== null).map(Math.abs));

// Numbers of a window as colours; what lies outside the picture counts as 0.
function cells(numbers, told, scale) {
  const { height, width } = told.window;
  return paintNumbers(height, width, (r, c) => numbers[r * width + c] ?? 0, scale);
}

export async function showPixel(env, state, pair, signal) {
  const { layer, channel, row, column } = state;
  const query = { channel, row, column };
  const told = await askJson(layerAddress(pair, layer, ['pixel'], query), signal);
  const model = await env.model(state.model, signal);
  const [height, width] = env.inputSize(model);
  env.specimen.mark(0, told.sees || null, height, width);
  const gradient = make('div', { class: 'gradient' });
  fill(gradient, signal, () => showGradient(pair, layer, query, told.sees, signal), 'Going back to the pixels …');
  return [make('h2', {}, `How ${tell(told.value)} came about`),
    make('p', { class: 'hint' }, where(told, height, width)),
    make('div', { class: 'pixelrow' }, make('div', {}, ...arithmetic(env, told, model)), gradient)];
}

// The derivative of the number by every pixel, cut to the part that it sees.
async function showGradient(pair, layer, query, sees, signal) {
  const ask = (end) => layerAddress(pair, layer, [`gradient${end}`], query);
  const { low, high } = await askJson(ask(''), signal);
  const { bytes, width, height } = await askBytes(ask('.png'), signal);
  const [top, left, bottom, right] = sees || [0, 0, Infinity, Infinity];
  const x = Math.max(0, left), y = Math.max(0, top);
  const rows = Math.min(height - 1, bottom) - y + 1, columns = Math.min(width - 1, right) - x + 1;
  const canvas = paintNumbers(rows, columns, (r, c) => low + (bytes[(y + r) * width + x + c] * (high - low)) / LEVELS, new Scale(true, high || 1));
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'The derivative of this number by every pixel that it sees');
  const text = high > 0 ? `Its gradient${sees ? ' within the frame' : ''}: a brighter pixel where it is red would raise this number, where it is blue lower it.`
    : 'Its gradient is 0: no small change of a pixel would change this number.';
  return [canvas, hint(text), saves(`${plain(layer)}_${query.channel}_gradient`, { png: () => canvas, npy: ask('.npy') })];
}

function where(told, height, width) {
  const place = `Row ${told.row}, column ${told.column}.`;
  if (!told.sees) return place;
  const [top, left, bottom, right] = told.sees;
  const rows = Math.min(height - 1, bottom) - Math.max(0, top) + 1, columns = Math.min(width - 1, right) - Math.max(0, left) + 1;
  return `${place} It sees ${rows} × ${columns} of the ${height} × ${width} pixels: the frame on the photograph.`;
}

// What an input has at the same place, if it has that place.
const given = (one) => (typeof one.value === 'number' ? tell(one.value) : 'numbers');

function arithmetic(env, told, model) {
  const from = told.inputs.map((one) => one.layer).join(' and ');
  const same = told.inputs.map(given).join(' and ');
  switch (told.how) {
    case 'sum': return weighed(env, told, model);
    case 'largest':
    case 'mean': return pooled(told, from);
    case 'scale': return [hint(`A normalisation: the number of ${from}, times a factor, plus a shift, the same for the whole channel.`),
      make('p', { class: 'sum' }, term(same, from), '×', term(tell(told.scale), 'scale'), term(sign(told.shift), 'shift'), ...ending(told))];
    case 'activation': return [hint(`${told.activation || told.class} of the number of ${from} at the same place.`),
      make('p', { class: 'sum' }, term(same, from), '→', term(tell(told.value), told.activation || told.class, 'result'))];
    case 'same': return [hint('This layer moves numbers and changes none.'), make('p', { class: 'sum' }, term(same, from), '=', term(tell(told.value), 'here', 'result'))];
    case 'combined': return [hint(`${told.class} of the numbers at the same place.`),
      make('p', { class: 'sum' }, ...told.inputs.map((one) => term(given(one), one.layer)), '→', term(tell(told.value), told.class, 'result'))];
    case 'input': return [hint('A number of the picture itself, as the network gets it.'), make('p', { class: 'sum' }, term(tell(told.value), 'input', 'result'))];
    default: return [hint(`How ${told.class} makes its numbers cannot be shown cell by cell.`), make('p', { class: 'sum' }, term(tell(told.value), 'here', 'result'))];
  }
}

// What comes after the sum.
function ending(told) {
  const acts = told.activation && told.activation !== 'linear';
  const parts = ['=', term(tell(told.sum ?? told.value), 'sum', acts ? '' : 'result')];
  if (acts) parts.push('→', term(tell(told.result ?? told.value), told.activation, 'result'));
  return [make('span', { class: 'ending' }, ...parts)];
}

const reading = (model, told, channel) => {
  const from = model.layers.find((one) => one.name === told.inputs[0].layer);
  return from && from.class === 'InputLayer' && told.inputs[0].channels === 3 ? COLOURS[channel] : `channel ${channel}`;
};

function weighed(env, told, model) {
  const shown = told.shown.slice(0, SHOWN);
  const rest = told.rest + told.shown.slice(SHOWN).reduce((sum, one) => sum + one.sum, 0);
  const others = told.rest_channels + told.shown.length - shown.length;
  const terms = shown.map((one, i) => term(i ? sign(one.sum) : tell(one.sum), reading(model, told, one.channel)));
  if (others > 0) terms.push(term(sign(rest), plural(others, 'other channel')));
  if (told.bias !== undefined) terms.push(term(sign(told.bias), 'bias'));
  if (told.window.height * told.window.width < 2)
    return [hint('Each channel’s number times its weight, all added.'), make('p', { class: 'sum' }, ...terms, ...ending(told))];
  const seen = new Scale(shown.some((one) => one.x.some((v) => v < 0)), largest(shown.map((one) => one.x)));
  const weights = new Scale(true, largest(shown.map((one) => one.kernel)));
  return [hint(`The window that it reads of ${told.inputs[0].layer}, times the kernel, number by number; all products added${told.bias === undefined ? '' : ', and the bias'}.${others > 0 ? ' The channels that count most come first.' : ''}`),
    make('p', { class: 'sum' }, ...terms, ...ending(told)),
    make('div', { class: 'products' }, ...shown.map((one) => make('figure', { class: 'product' },
      cells(one.x, told, seen), '×', cells(one.kernel, told, weights),
      table(one, told), make('figcaption', {}, `${reading(model, told, one.channel)}: `, make('b', {}, tell(one.sum))))))];
}

// The numbers themselves, for who wants to add them up.
function table(one, told) {
  const { height, width } = told.window;
  const body = make('tbody');
  for (let r = 0; r < height; r++)
    body.append(make('tr', {}, ...Array.from({ length: width }, (_, c) => {
      const i = r * width + c;
      return make('td', {}, one.x[i] === null ? 'outside' : one.kernel ? `${tell(one.x[i])} × ${tell(one.kernel[i])}` : tell(one.x[i]));
    })));
  return make('details', {}, make('summary', {}, 'list', unseen(' of its numbers')),
    make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the window' }, make('table', { class: 'window' }, body)));
}

function pooled(told, from) {
  const [one] = told.shown;
  const what = told.how === 'largest' ? 'The largest' : 'The mean';
  const result = [hint(`${what} of the ${told.window.height} × ${told.window.width} numbers that it reads of ${from}. There is nothing to learn in this layer.`)];
  if (one) {
    const scale = Scale.of(Math.min(0, ...one.x.filter((v) => v !== null)), largest([one.x]));
    result.push(make('figure', { class: 'product' }, cells(one.x, told, scale), '→', make('b', {}, tell(told.value)), table(one, told),
      make('figcaption', {}, reading({ layers: [] }, told, one.channel))));
  }
  return result;
}
