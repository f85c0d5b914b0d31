// view_network.js - the network from picture to answer: a line a layer, with its strongest channels.
import { make } from './dom.js';
import { address, askJson, askText, isCalledOff } from './api.js';
import { Scale } from './colour.js';
import { button, count, hint } from './parts.js';
import { layerAddress, loadLayer } from './layerdata.js';
import { paintNumbers } from './numbers.js';
import { pairs } from './url.js';
import { shapeText, kindText } from './words.js';

const MINIATURES = 8;

export default class NetworkView {
  constructor(env) {
    this.env = env;
    this.title = make('h1', { tabindex: '-1' }, 'From picture to answer');
    this.toggle = button('Flow chart', () => env.go({ chart: env.state.chart ? null : '1' }), { 'aria-pressed': 'false' });
    this.chart = make('div', { class: 'chart-box scroll', tabindex: '0', role: 'region', 'aria-label': 'Flow chart of the network' });
    this.list = make('ol', { class: 'flow' });
    this.element = make('div', { class: 'view network' }, this.title,
      hint('A layer is a set of small filters. A channel is one filter’s answer at every place of the picture: bright where it found what it looks for. Below are the strongest channels of each layer; choose a layer to see all.'),
      make('div', { class: 'tools' }, this.toggle), this.chart, this.list);
  }

  async update(state, signal) {
    const { env } = this;
    const model = await env.model(state.model, signal);
    this.toggle.setAttribute('aria-pressed', String(Boolean(state.chart)));
    this.chart.hidden = !state.chart;
    if (state.chart) await this.draw(state, signal);
    if (this.model !== state.model) {
      this.model = state.model;
      this.rows = model.layers.map((layer) => this.row(layer));
      this.list.replaceChildren(...this.rows.map((row) => row.element));
    }
    for (const row of this.rows) if (row.link) row.link.href = env.href({ view: 'layer', layer: row.layer.name });
    if (this.watcher) this.watcher.disconnect();
    if (!state.image) return;
    // What is near the screen is computed first, and what is never looked at not at all.
    this.watcher = new IntersectionObserver((entries) => {
      for (const entry of entries)
        if (entry.isIntersecting) this.paint(this.rows.find((row) => row.strip === entry.target), pairs(state), signal);
    }, { rootMargin: '300px' });
    signal.addEventListener('abort', () => this.watcher.disconnect());
    for (const row of this.rows) if (row.strip) this.watcher.observe(row.strip);
  }

  row(layer) {
    const about = make('span', { class: 'what' }, kindText(layer));
    const shape = make('span', { class: 'shape' }, shapeText(layer));
    const strip = make('span', { class: layer.is_map ? 'strip' : 'strip barcode' });
    if (!layer.is_map)
      return { layer, strip, element: make('li', { class: 'step plain' },
        make('span', { class: 'name' }, layer.name), about, shape, strip) };
    const link = make('a', { class: 'step', 'data-layer': layer.name }, make('span', { class: 'name' }, layer.name), about, shape, strip);
    return { layer, link, strip, element: make('li', {}, link) };
  }

  async paint(row, all, signal) {
    const key = JSON.stringify(all);
    if (row.painted === key) return;
    row.painted = key;
    try {
      if (!row.layer.is_map) {
        row.strip.replaceChildren(...await Promise.all(all.map((pair) => this.barcode(pair, row.layer.name, signal))));
        return;
      }
      const { maps } = await loadLayer(all, row.layer.name, signal);
      if (signal.aborted) {
        row.painted = '';
        return;
      }
      const strongest = maps.order('strength').filter((c) => !maps.isDead(c)).slice(0, MINIATURES);
      const lines = maps.sheets.map((sheet) => make('span', { class: 'line' }, ...strongest.map((channel) => {
        const canvas = make('canvas', { width: sheet.width, height: sheet.height });
        sheet.draw(canvas, channel, maps.scaleOf(channel, 'channel'));
        return canvas;
      })));
      const rest = maps.channels - strongest.length;
      row.strip.replaceChildren(...lines, make('span', { class: 'rest' }, rest ? `${count(rest)} more` : ''));
    } catch (error) {
      row.painted = '';
      if (!isCalledOff(error)) row.strip.replaceChildren(make('span', { class: 'rest' }, error.message));
    }
  }

  // A vector as stripes, brighter where its number is larger.
  async barcode(pair, name, signal) {
    const { values } = await askJson(layerAddress(pair, name, []), signal);
    if (!values) return this.single(pair, name, signal);
    const scale = Scale.of(Math.min(...values), Math.max(...values));
    return paintNumbers(1, values.length, (_, c) => values[c], scale);
  }

  // A picture without an axis of channels.
  async single(pair, name, signal) {
    const { maps } = await loadLayer([pair], name, signal);
    const [sheet] = maps.sheets;
    const canvas = make('canvas', { class: 'single', width: sheet.width, height: sheet.height });
    sheet.draw(canvas, 0, maps.scaleOf(0, 'channel'));
    return canvas;
  }

  async draw(state, signal) {
    if (this.drawn === state.model) return;
    const text = await askText(address(['models', state.model, 'graph.svg']), signal);
    // The page's policy lets no style stand in a document; what comes as a sheet is fine.
    const style = /<style>([^<]*)<\/style>/;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync((text.match(style) || ['', ''])[1]);
    document.adoptedStyleSheets = [sheet];
    const parsed = new DOMParser().parseFromString(text.replace(style, ''), 'image/svg+xml');
    const svg = document.importNode(parsed.documentElement, true);
    this.drawn = state.model;
    const maps = new Set((await this.env.model(state.model, signal)).layers.filter((l) => l.is_map).map((l) => l.name));
    for (const box of svg.querySelectorAll('[data-layer]')) {
      if (!maps.has(box.dataset.layer)) continue;
      const open = () => this.env.go({ view: 'layer', layer: box.dataset.layer });
      box.setAttribute('tabindex', '0');
      box.setAttribute('role', 'link');
      box.setAttribute('aria-label', [...box.querySelectorAll('text')].map((text) => text.textContent).join(' '));
      box.addEventListener('click', open);
      box.addEventListener('keydown', (event) => { if (event.key === 'Enter') open(); });
    }
    this.chart.replaceChildren(svg);
  }
}
