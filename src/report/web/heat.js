// heat.js - heatmaps over photographs.
import { make } from './dom.js';
import { tell } from './colour.js';
import { readBytes } from './sheet.js';
import { paintHeat, paintHeatScale } from './heatmap.js';
import { data } from './data.js';

const HEAT_SIDE = 448; // pixels of a map's picture, whatever its own size

export class Heat {
  constructor(figure) {
    this.figure = figure;
    this.first = Number(figure.dataset.first);
    this.canvas = figure.querySelector('.stack canvas');
    this.legend = figure.querySelector('.legend');
    this.about = figure.querySelector('.about');
    const box = figure.querySelector('.stack').style.aspectRatio.split('/').map(Number);
    const scale = HEAT_SIDE / Math.max(...box);
    this.canvas.width = Math.max(1, Math.round(box[0] * scale));
    this.canvas.height = Math.max(1, Math.round(box[1] * scale));
  }

  async show(method, hasCells) {
    const map = data.maps[this.first + method];
    this.current = map;
    this.canvas.getContext('2d').clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.tell(map, data.methods[method]);
    if (!map.png) return;
    if (!map.bytes) {
      const image = new Image();
      image.src = map.png;
      map.bytes = (await readBytes(image)).bytes;
    }
    if (this.current !== map) return; // another was chosen meanwhile
    paintHeat(this.canvas, map, hasCells);
    this.drawLegend(map);
    this.figure.dataset.drawn = data.methods[method].title;
  }

  drawLegend(map) {
    const [low, high] = this.legend.querySelectorAll('span');
    paintHeatScale(this.legend.querySelector('canvas'), map);
    low.textContent = map.signed ? tell(-map.limit) : '0';
    high.textContent = map.peak > map.limit ? `${tell(map.limit)} and more` : tell(map.limit);
    this.legend.hidden = false;
  }

  tell(map, method) {
    const lines = [];
    if (map.failure) lines.push(make('p', { class: 'note' }, map.failure));
    this.legend.hidden = Boolean(map.failure);
    for (const line of (map.notes || '').split('\n'))
      if (line) lines.push(make('p', { class: 'note' }, line));
    if (!map.failure) lines.push(make('p', {}, map.why ? `Layer: ${map.why}.` : `Explained: ${map.target}.`));
    lines.push(make('p', { class: 'cite' }, `${method.title}: ${method.cite}`));
    this.about.replaceChildren(...lines);
  }
}
