// view_layer.js - all channels of one layer.
import { make } from './dom.js';
import { Grid } from './channels.js';
import { choice, fill, hint, plain, plural, saveCanvas, button } from './parts.js';
import { layerAddress, loadLayer } from './layerdata.js';
import { pairs } from './url.js';
import { kindText, shapeText, windowText } from './words.js';

export const mapLayers = (model) => model.layers.filter((layer) => layer.is_map && layer.class !== 'InputLayer');

// Links to the layers before and after.
export function neighbours(env, model, name, view = 'layer') {
  const all = mapLayers(model).map((layer) => layer.name);
  const at = all.indexOf(name);
  const link = (to, text, label) => (to === undefined ? '' : make('a', { href: env.href({ view, layer: to, channel: null, row: null, column: null }), 'aria-label': `${label}: ${to}` }, text));
  return make('span', { class: 'neighbours' }, link(all[at - 1], `← ${all[at - 1]}`, 'Layer before'), ' ',
    link(all[at + 1], `${all[at + 1]} →`, 'Layer after'));
}

// All channels in one picture, as they are painted.
function paintSheet(maps, kind) {
  const sheet = maps.sheets[0];
  const rows = Math.ceil(maps.channels / sheet.columns);
  const whole = make('canvas', { width: sheet.columns * sheet.width, height: rows * sheet.height });
  const one = make('canvas', { width: sheet.width, height: sheet.height });
  for (let c = 0; c < maps.channels; c++) {
    sheet.draw(one, c, maps.scaleOf(c, kind));
    whole.getContext('2d').drawImage(one, (c % sheet.columns) * sheet.width, Math.floor(c / sheet.columns) * sheet.height);
  }
  return whole;
}

export default class LayerView {
  constructor(env) {
    this.env = env;
    this.way = make('nav', { class: 'crumbs', 'aria-label': 'Layers' });
    this.title = make('h1', { tabindex: '-1' });
    this.about = make('p', { class: 'lead' });
    this.told = make('p', { class: 'facts' });
    this.tools = make('div', { class: 'tools' });
    this.body = make('div', { class: 'channels' });
    this.element = make('div', { class: 'view layer' }, this.way, this.title, this.about,
      hint('Every picture below is one channel: what one filter answers at each place. Choose one to see what it looks for.'),
      this.told, this.tools, this.body);
    this.zoom = make('input', { type: 'range', min: '0.6', max: '3', step: '0.1', value: '1', 'aria-label': 'Size of the channels' });
    this.zoom.addEventListener('input', () => this.resize());
  }

  async update(state, signal) {
    const { env } = this;
    const model = await env.model(state.model, signal);
    const layer = model.layers.find((one) => one.name === state.layer);
    this.title.textContent = state.layer;
    this.way.replaceChildren(make('a', { href: env.href({ view: 'network' }) }, 'Layers'), neighbours(env, model, state.layer));
    if (layer) this.about.textContent = [kindText(layer), shapeText(layer), windowText(layer)].filter(Boolean).join('; ');
    const { order = 'number', scale = 'layer' } = state;
    if (!state.image) {
      this.body.replaceChildren(hint('Choose a picture first.'));
      return;
    }
    const key = JSON.stringify([pairs(state), state.layer]);
    if (key !== this.key) {
      // Another network of the same making: what is there stays until the new can be painted.
      if (this.layer !== state.layer) this.body.replaceChildren();
      this.layer = state.layer;
      await fill(this.body, signal, () => this.build(state, signal), undefined, () => env.refresh());
      if (signal.aborted || !this.grid) return;
      this.key = key;
    }
    this.setTools(order, scale);
    this.grid.change(order, scale);
    this.grid.paint();
    this.resize();
  }

  async build(state, signal) {
    const { maps, told } = await loadLayer(pairs(state), state.layer, signal);
    this.maps = maps;
    this.grid = new Grid(maps, (channel) => this.env.go({ view: 'channel', layer: state.layer, channel }));
    // Few channels have room to be larger.
    this.tile = parseFloat(this.grid.box.style.getPropertyValue('--tile')) * (maps.channels <= 16 ? 1.8 : maps.channels <= 32 ? 1.35 : 1);
    const dead = Array.from({ length: maps.channels }, (_, c) => c).filter((c) => maps.isDead(c)).length;
    this.told.textContent = `${plural(maps.channels, 'channel')}, ${dead === 0 ? 'all of them alive' : `${dead} of them dead: nothing in this picture excites ${dead === 1 ? 'it' : 'them'}`}. ` +
      `${(100 * (1 - told[0].sparsity)).toFixed(0)} % of all values are above 0.`;
    const compared = maps.sheets.length > 1 ? [hint(`In each pair: left ${this.env.titleOf(pairs(state)[0], pairs(state))}, right ${this.env.titleOf(pairs(state)[1], pairs(state))}.`)] : [];
    const name = plain(state.layer);
    const save = make('p', { class: 'saves' }, 'Save: ',
      button('PNG', () => saveCanvas(paintSheet(this.maps, this.env.state.scale || 'layer'), name), { class: 'link', 'aria-label': `PNG of all channels of ${state.layer}` }), ' ',
      make('a', { href: layerAddress(pairs(state)[0], state.layer, ['activation.npy']), download: `${name}.npy` }, 'numbers'));
    return [...compared, ...this.grid.elements, save];
  }

  setTools(order, scale) {
    if (this.tools.dataset.is === order + scale) return;
    this.tools.dataset.is = order + scale;
    const { env } = this;
    if (this.tools.childElementCount) {
      const [first, second] = this.tools.querySelectorAll('select');
      first.value = order;
      second.value = scale;
      return;
    }
    this.tools.replaceChildren(
      choice('Sort by', [['number', 'number'], ['strength', 'strength'], ['sparsity', 'emptiness']], order, (value) => env.go({ order: value }, true)),
      choice('Colours', [['layer', 'one scale for the layer'], ['channel', 'one scale a channel']], scale, (value) => env.go({ scale: value }, true)),
      make('label', {}, 'Size ', this.zoom));
  }

  resize() {
    if (this.grid) this.grid.box.style.setProperty('--tile', `${this.tile * this.zoom.value}rem`);
  }
}
