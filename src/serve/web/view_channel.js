// view_channel.js - one channel: its map, large; what it looks for; what excites it; its weights.
import { make } from './dom.js';
import { tell } from './colour.js';
import { askNumbers } from './api.js';
import { Cells } from './cells.js';
import { fill, hint, plain, saves } from './parts.js';
import { layerAddress, loadLayer } from './layerdata.js';
import { pairs } from './url.js';
import { channelText } from './words.js';
import { PatternPanel } from './panel_pattern.js';
import { showExamples } from './panel_examples.js';
import { showKernel } from './panel_kernel.js';
import { showPixel } from './panel_pixel.js';

const panel = (title, text, body) => make('section', { class: 'panel' }, make('h2', {}, title), hint(text), body);

export default class ChannelView {
  constructor(env) {
    this.env = env;
    this.way = make('nav', { class: 'crumbs', 'aria-label': 'Layers and channels' });
    this.title = make('h1', { tabindex: '-1' });
    this.large = make('div', { class: 'large' });
    this.readout = make('output', { 'aria-live': 'polite' }, 'Point at a cell, or walk with the arrow keys. Choose one to see how its number is made.');
    this.pixel = make('section', { class: 'panel pixel', 'aria-label': 'How this number is made' });
    this.pixel.hidden = true;
    this.pattern = new PatternPanel(env);
    this.examples = make('div');
    this.kernel = make('div');
    this.element = make('div', { class: 'view channel' }, this.way, this.title, make('div', { class: 'looking' }, make('div', {}, this.readout, this.large), this.pixel),
      make('div', { class: 'panels' },
        panel('What it looks for', 'A picture made from noise, changed step by step until this channel answers as strongly as it can.', this.pattern.whole),
        panel('What excites it', 'The pictures of the folder that excite it most. The frame is all that this cell can see.', this.examples),
        panel('Its weights', 'What the filter multiplies its window with: blue takes away, red adds.', this.kernel)));
  }

  async update(state, signal) {
    const { env } = this;
    const model = await env.model(state.model, signal);
    const { layer } = state;
    const n = env.channelsOf(model, layer);
    if (n > 0) state.channel = Math.min(state.channel, n - 1); // an address may say anything
    const { channel } = state;
    this.title.textContent = `${layer}, channel ${channel}`;
    this.crumbs(model, state);
    const all = pairs(state);
    const key = JSON.stringify([all, layer, channel]);
    if (key !== this.key && state.image) {
      await fill(this.large, signal, () => this.build(state, all, signal), undefined, () => env.refresh());
      if (signal.aborted) return;
      this.key = key;
    }
    this.pattern.show(state);
    const what = `${state.model} ${layer} ${channel}`;
    if (this.what !== what) {
      this.what = what;
      const lasting = env.lasting(this);
      showExamples(this.examples, env, state, lasting);
      fill(this.kernel, lasting, () => showKernel(env, state, model, lasting));
    }
    await this.choose(state, all, signal);
  }

  crumbs(model, state) {
    const { env } = this;
    const n = env.channelsOf(model, state.layer);
    const step = (to, text, label) => (to < 0 || to >= n ? '' : make('a', { href: env.href({ channel: to, row: null, column: null }), 'aria-label': label }, text));
    this.way.replaceChildren(make('a', { href: env.href({ view: 'network' }) }, 'Layers'),
      make('a', { href: env.href({ view: 'layer' }) }, state.layer),
      make('span', { class: 'neighbours' }, step(state.channel - 1, `← ${state.channel - 1}`, `Channel ${state.channel - 1}`), ' ',
        step(state.channel + 1, `${state.channel + 1} →`, `Channel ${state.channel + 1}`)));
  }

  async build(state, all, signal) {
    const { layer, channel } = state;
    const { maps, told } = await loadLayer(all, layer, signal);
    this.maps = maps;
    // The sheet has bytes; one channel's numbers are soon there. Of means there are none.
    this.numbers = maps.shrink > 1 ? [] : await Promise.all(all.map((pair) =>
      askNumbers(layerAddress(pair, layer, ['activation.npy'], { channel }), signal)));
    const scale = maps.scaleOf(channel, 'channel');
    this.cells = maps.sheets.map((sheet, i) => {
      const image = this.env.titleOf(all[i], all);
      const cells = new Cells(sheet.height, sheet.width, `Values of channel ${channel}: arrow keys move from cell to cell, Enter shows how a number is made`,
        (row, column) => this.look(i, row, column),
        (row, column) => this.env.go({ row: row * maps.shrink, column: column * maps.shrink }));
      sheet.draw(cells.canvas, channel, scale);
      cells.canvas.dataset.value = '';
      const bar = make('span', { class: 'bar', 'aria-hidden': 'true' });
      bar.style.background = scale.gradient();
      return { cells, figure: make('figure', {}, cells.element,
        make('div', { class: 'scale' }, tell(scale.low), ' ', bar, ' ', tell(scale.high)),
        make('figcaption', {}, ...(all.length > 1 ? [make('b', {}, image)] : []),
          ...channelText(told[i].each, channel).map((line) => make('p', {}, line))),
        saves(`${plain(layer)}_${channel}`, {
          png: layerAddress(all[i], layer, ['channel.png'], { channel }),
          npy: layerAddress(all[i], layer, ['activation.npy'], { channel }),
        })) };
    });
    return this.cells.map((one) => one.figure);
  }

  // {value, half}: what a cell holds, to within half.
  valueAt(index, channel, row, column) {
    const sheet = this.maps.sheets[index], numbers = this.numbers[index];
    return numbers ? { value: numbers[row * sheet.width + column], half: 0 }
      : { value: sheet.value(channel, row, column), half: sheet.precision(channel) };
  }

  look(index, row, column) {
    const { value, half } = this.valueAt(index, this.env.state.channel, row, column);
    const { shrink } = this.maps;
    const place = `row ${row * shrink}, column ${column * shrink}${shrink > 1 ? ` (mean of ${shrink} × ${shrink})` : ''}`;
    const text = half ? `${value.toPrecision(4)} ± ${half.toPrecision(2)}` : String(Number(value.toPrecision(6)));
    this.readout.textContent = `${place}: ${Number.isNaN(value) ? 'no number' : text}`;
    Object.assign(this.readout.dataset, { row, column, value, half });
  }

  // The arithmetic of the cell that was chosen.
  async choose(state, all, signal) {
    if (!this.cells || !state.image) return;
    const { shrink } = this.maps;
    const isChosen = state.row !== undefined && state.column !== undefined;
    const { row, column } = isChosen ? state : this.strongest(state.channel);
    for (const one of this.cells) {
      one.chosen = one.chosen || one.cells.element.appendChild(make('span', { class: 'cursor chosen', 'aria-hidden': 'true' }));
      one.cells.mark(one.chosen, Math.floor(row / shrink), Math.floor(column / shrink), Math.floor(row / shrink), Math.floor(column / shrink));
    }
    this.pixel.hidden = false;
    await fill(this.pixel, signal, () => showPixel(this.env, { ...state, row, column }, all[0], signal));
    if (!isChosen) this.pixel.querySelector('h2')?.append(' (the largest)');
  }

  // Where the first map is largest: what is looked at until somebody chooses.
  strongest(channel) {
    const [sheet] = this.maps.sheets;
    const best = { row: 0, column: 0, value: -Infinity };
    for (let row = 0; row < sheet.height; row++)
      for (let column = 0; column < sheet.width; column++) {
        const { value } = this.valueAt(0, channel, row, column);
        if (value > best.value) Object.assign(best, { row, column, value });
      }
    return { row: best.row * this.maps.shrink, column: best.column * this.maps.shrink };
  }

  leave() {
    this.pattern.stop();
    this.env.specimen.mark(0, null);
  }
}
