// heat.js - heatmaps over photographs.

const HEAT_SIDE = 448; // pixels of a map's picture, whatever its own size

class Heat {
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
    this.draw(map, hasCells);
    this.figure.dataset.drawn = data.methods[method].title;
  }

  // From -1 to 1, or 0 to 1, of the scale.
  share(map, x, y) {
    const level = map.bytes[y * map.width + x];
    if (level > data.levels) return 0;
    return map.signed ? (2 * level) / data.levels - 1 : level / data.levels;
  }

  // Between the centres of cells, straight; as cells, each its own.
  sample(map, u, v, hasCells) {
    if (hasCells) return this.share(map, Math.min(map.width - 1, Math.floor(u)), Math.min(map.height - 1, Math.floor(v)));
    const x = Math.max(0, Math.min(map.width - 1, u - 0.5)), y = Math.max(0, Math.min(map.height - 1, v - 0.5));
    const x0 = Math.floor(x), y0 = Math.floor(y);
    const x1 = Math.min(map.width - 1, x0 + 1), y1 = Math.min(map.height - 1, y0 + 1);
    const top = this.share(map, x0, y0) * (x0 + 1 - x) + this.share(map, x1, y0) * (x - x0);
    const bottom = this.share(map, x0, y1) * (x0 + 1 - x) + this.share(map, x1, y1) * (x - x0);
    return top * (y0 + 1 - y) + bottom * (y - y0);
  }

  draw(map, hasCells) {
    const { width, height } = this.canvas;
    const context = this.canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const colours = map.signed ? maps.diverging : maps.magma;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const t = this.sample(map, ((column + 0.5) * map.width) / width, ((row + 0.5) * map.height) / height, hasCells);
        const at = 3 * Math.round(255 * (map.signed ? (t + 1) / 2 : t));
        const to = 4 * (row * width + column);
        image.data.set(colours.subarray(at, at + 3), to);
        image.data[to + 3] = 255 * Math.min(1, Math.abs(t) * 1.6);
      }
    context.putImageData(image, 0, 0);
    this.drawLegend(map, colours);
  }

  drawLegend(map, colours) {
    const [low, high] = this.legend.querySelectorAll('span');
    const context = this.legend.querySelector('canvas').getContext('2d');
    const image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([...colours.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(image, 0, 0);
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
