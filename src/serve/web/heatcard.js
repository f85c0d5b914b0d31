// heatcard.js - one heatmap over its photograph, with what is to be known of it.
import { make } from './dom.js';
import { tell } from './colour.js';
import { paintHeat, paintHeatScale } from './heatmap.js';
import { address, askBytes, askJson } from './api.js';
import { button, fill, milliseconds, percent, photoAddress, plain, saves } from './parts.js';
import { asked } from './url.js';
import { isLong, methodTitle, sentence } from './methods.js';

const SIDE = 448; // pixels of a map's picture, whatever its own size

export class HeatCard {
  // remove, where there is one, takes the card away.
  constructor(env, method, remove) {
    this.env = env;
    this.method = method;
    this.title = make('h3', {});
    this.photo = make('img', { class: 'photo', alt: '' });
    this.canvas = make('canvas', { width: SIDE, height: SIDE });
    this.stack = make('div', { class: 'stack' }, this.photo, this.canvas);
    this.over = make('div', { class: 'over' });
    this.stack.append(this.over);
    this.scale = make('canvas', { width: '256', height: '1', 'aria-hidden': 'true' });
    this.low = make('span');
    this.high = make('span');
    this.legend = make('div', { class: 'legend' }, this.low, this.scale, this.high);
    this.about = make('div', { class: 'about' });
    const close = remove ? button('✕', remove, { class: 'close', 'aria-label': `Take ${methodTitle(method)} away` }) : '';
    this.element = make('figure', { class: 'heat' }, make('div', { class: 'headline' }, this.title, close), this.stack, this.legend, this.about);
    this.photo.addEventListener('load', () => this.fit());
  }

  // The photograph keeps its form, and the map is laid over all of it, as the network saw it.
  fit() {
    const { naturalWidth: w, naturalHeight: h } = this.photo;
    if (w && h) this.stack.style.aspectRatio = `${w}/${h}`;
  }

  async show(pair, question, label, signal) {
    const query = { ...asked(pair), method: this.method.name, ...question };
    const key = JSON.stringify([pair, query]);
    if (key === this.key && this.element.dataset.drawn) return; // it is there
    this.key = key;
    this.title.textContent = label;
    this.legend.hidden = true;
    if (this.photo.dataset.image !== pair.image) {
      this.photo.dataset.image = pair.image;
      this.photo.src = photoAddress(pair.image);
    }
    this.photo.alt = `The picture under the map of ${methodTitle(this.method)}`;
    this.canvas.hidden = true;
    this.about.replaceChildren(make('p', { class: 'meaning' }, sentence(this.method)));
    this.element.dataset.drawn = '';
    const compute = () => this.compute(pair, query, label, signal);
    if (isLong(this.method) && !this.env.wanted.has(key))
      this.over.replaceChildren(button('Compute', () => {
        this.env.wanted.add(key);
        compute();
      }, { 'aria-label': `Compute ${label}` }), make('p', { class: 'hint' }, 'takes longer'));
    else await compute();
  }

  async compute(pair, query, label, signal) {
    const ask = (end, extra = query) => address(['models', pair.model, `heatmap${end}`], extra);
    this.over.replaceChildren();
    await fill(this.over, signal, async () => {
      const began = performance.now();
      const clock = setInterval(() => {
        const words = this.over.querySelector('.busy');
        if (words) words.lastChild.textContent = `Computing … ${((performance.now() - began) / 1000).toFixed(0)} s`;
      }, 1000);
      try {
        const told = await askJson(ask(''), signal);
        const map = await askBytes(ask('.png'), signal);
        this.draw({ ...map, signed: told.is_signed }, told, { png: () => this.joined(), npy: ask('.npy') }, label);
      } finally {
        clearInterval(clock);
      }
      return [];
    }, 'Computing …');
  }

  draw(map, told, files, label) {
    paintHeat(this.canvas, map, false);
    paintHeatScale(this.scale, map);
    this.low.textContent = tell(told.low);
    this.high.textContent = told.peak > told.high ? `${tell(told.high)} and more` : tell(told.high);
    this.canvas.hidden = false;
    this.legend.hidden = false;
    const lines = [make('p', { class: 'meaning' }, sentence(this.method))];
    for (const line of (told.notes || '').split('\n')) if (line) lines.push(make('p', { class: 'note' }, line));
    const more = make('details', {}, make('summary', {}, 'About this map'));
    if (told.why_layer) more.append(make('p', { class: 'hint' }, `Layer: ${told.why_layer}.`));
    const probability = typeof told.probability === 'number' ? `, ${percent(told.probability)}` : '';
    more.append(make('p', { class: 'hint' }, `Explained: ${told.target} ${tell(told.score)}${probability}. Computed in ${milliseconds(told.milliseconds)}.`));
    if (told.cite) more.append(make('p', { class: 'cite hint' }, told.cite));
    lines.push(more, saves(plain(label), files));
    this.about.replaceChildren(...lines);
    this.element.dataset.drawn = this.method.name;
  }

  // The map on its photograph, as it is seen.
  joined() {
    const { naturalWidth: width, naturalHeight: height } = this.photo;
    const both = make('canvas', { width, height });
    const context = both.getContext('2d');
    context.drawImage(this.photo, 0, 0, width, height);
    context.globalAlpha = Number(getComputedStyle(this.canvas).opacity);
    context.drawImage(this.canvas, 0, 0, width, height);
    return both;
  }
}
