// channels.js - a layer's channels as a grid of buttons, each with a small picture for every input.
import { make, unseen } from './dom.js';
import { tell } from './colour.js';

const AT_FIRST = 64; // channels that are shown until more are asked for

// `open(channel)` is called for the one that is chosen.
export class Grid {
  constructor(layer, open) {
    this.layer = layer;
    this.open = open;
    this.orderKind = 'number';
    this.scaleKind = 'layer';
    this.shown = Math.min(AT_FIRST, layer.channels);
    this.box = make('div', { class: 'grid', role: 'group', 'aria-label': `Channels of ${layer.name}` });
    const first = layer.sheets[0];
    const wide = layer.sheets.length * Math.min(2, Math.max(0.5, first.width / first.height));
    this.box.style.setProperty('--tile', `${Math.max(4, 4.5 * wide)}rem`);
    this.box.addEventListener('keydown', (event) => this.move(event));
    this.legend = make('div', { class: 'scale' });
    this.elements = [this.legend, this.box];
    if (layer.channels > this.shown) {
      this.more = make('button', { class: 'more', type: 'button' }, `Show all ${layer.channels} channels`);
      this.more.addEventListener('click', () => this.showAll());
      this.elements.push(this.more);
    }
    this.build();
  }

  build() {
    this.numbers = this.layer.order(this.orderKind).slice(0, this.shown);
    this.tiles = this.numbers.map((channel) => this.makeTile(channel));
    this.box.replaceChildren(...this.tiles);
    if (this.tiles.length) this.tiles[0].tabIndex = 0;
    this.tellScale();
  }

  makeTile(channel) {
    const { layer } = this;
    const dead = layer.isDead(channel);
    const filled = Math.round(100 * (1 - layer.sparsity(channel)));
    const tile = make('button', {
      type: 'button', class: dead ? 'tile dead' : 'tile', tabindex: '-1', 'data-channel': channel,
    });
    const pictures = make('span', { class: 'pictures' });
    for (const sheet of layer.sheets)
      pictures.append(make('canvas', { width: sheet.width, height: sheet.height }));
    tile.append(pictures,
      make('span', { class: 'number' }, unseen('Channel '), String(channel)),
      make('span', { class: 'filled' }, dead ? 'dead' : `${filled} %`,
        unseen(dead ? '' : ` above 0, mean ${tell(layer.mean(channel))}`)));
    tile.addEventListener('click', () => this.open(channel));
    tile.addEventListener('focus', () => this.rove(tile));
    return tile;
  }

  tellScale() {
    const { scale, peak } = this.layer;
    this.legend.replaceChildren();
    if (this.scaleKind === 'channel') {
      this.legend.append('Each channel from its own smallest to its largest value');
      return;
    }
    const bar = make('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.background = scale.gradient();
    this.legend.append(tell(scale.low), ' ', bar, ' ', tell(scale.high),
      peak > scale.high ? ` and more (largest: ${tell(peak)})` : '');
  }

  async paint() {
    if (this.painted) return;
    this.painted = true;
    await this.layer.load();
    this.tellScale();
    this.tiles.forEach((tile, i) => {
      const scale = this.layer.scaleOf(this.numbers[i], this.scaleKind);
      tile.querySelectorAll('canvas').forEach((canvas, k) =>
        this.layer.sheets[k].draw(canvas, this.numbers[i], scale));
    });
    this.box.dataset.painted = 'yes';
  }

  change(orderKind, scaleKind) {
    const wasPainted = this.painted;
    this.orderKind = orderKind;
    this.scaleKind = scaleKind;
    this.painted = false;
    this.build();
    if (wasPainted) this.paint();
  }

  showAll() {
    this.shown = this.layer.channels;
    this.more.remove();
    this.change(this.orderKind, this.scaleKind);
    this.paint();
    this.tiles[AT_FIRST].focus();
  }

  // One tile of the grid can be reached by the tab key, the others from there by arrows.
  rove(tile) {
    for (const other of this.tiles) other.tabIndex = other === tile ? 0 : -1;
  }

  move(event) {
    const at = this.tiles.indexOf(document.activeElement);
    const top = this.tiles[0].offsetTop;
    const across = this.tiles.filter((tile) => tile.offsetTop === top).length;
    const steps = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across,
      Home: -at, End: this.tiles.length - 1 - at,
    };
    const next = this.tiles[at + steps[event.key]];
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    if (next) next.focus();
  }
}
