// zoom.js - one channel, large, with its values.
import { make } from './dom.js';
import { tell } from './colour.js';
import { Cells } from './cells.js';
import { data } from './data.js';

export class Zoom {
  constructor() {
    this.title = make('h2', { id: 'zoom-title' });
    this.pictures = make('div', { class: 'large' });
    this.readout = make('output', { 'aria-live': 'polite' });
    const button = (label, text, act) => {
      const b = make('button', { type: 'button', 'aria-label': label }, text);
      b.addEventListener('click', act);
      return b;
    };
    this.dialog = make('dialog', { id: 'zoom', 'aria-labelledby': 'zoom-title' },
      make('div', { class: 'bar' }, this.title,
        button('Channel before', '←', () => this.step(-1)),
        button('Channel after', '→', () => this.step(1)),
        button('Close', '✕', () => this.dialog.close())),
      this.pictures, this.readout);
    document.body.append(this.dialog);
    this.dialog.addEventListener('close', () => this.back());
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  async open(grid, channel) {
    this.grid = grid;
    await grid.layer.load();
    this.show(channel);
    this.dialog.showModal();
  }

  back() {
    const tile = this.grid.tiles[this.grid.numbers.indexOf(this.channel)];
    if (tile) tile.focus();
  }

  step(by) {
    const { numbers } = this.grid;
    const at = numbers.indexOf(this.channel) + by;
    this.show(numbers[(at + numbers.length) % numbers.length]);
  }

  show(channel) {
    const { layer, scaleKind } = this.grid;
    const scale = layer.scaleOf(channel, scaleKind);
    this.channel = channel;
    this.title.textContent = `${layer.name}, channel ${channel}`;
    this.readout.textContent = 'Point at a cell, or move over the picture with the arrow keys.';
    this.pictures.replaceChildren(...layer.sheets.map((sheet) => this.figure(sheet, channel, scale)));
  }

  figure(sheet, channel, scale) {
    const file = data.inputs[sheet.input];
    const cells = new Cells(sheet.height, sheet.width,
      `Values of channel ${channel} for ${file}; arrow keys move from cell to cell`,
      (row, column) => this.tellCell(sheet, channel, row, column));
    sheet.draw(cells.canvas, channel, scale);
    const facts = `${tell(sheet.low[channel])} to ${tell(sheet.high[channel])}, mean ${tell(sheet.mean[channel])}, ` +
      `${(100 * (1 - sheet.sparsity[channel])).toFixed(1)} % above 0` +
      (sheet.deadOnes.has(channel) ? ', dead: nothing in this picture excites it' : '');
    return make('figure', {}, cells.element,
      make('figcaption', {}, make('b', {}, file), make('br'), facts));
  }

  // Values come in steps, so that a page stays small: the half step is told with each.
  tellCell(sheet, channel, row, column) {
    const { shrink } = this.grid.layer;
    const value = sheet.value(channel, row, column);
    const half = sheet.precision(channel);
    const place = shrink > 1
      ? `rows from ${row * shrink}, columns from ${column * shrink}, mean of ${shrink} × ${shrink}`
      : `row ${row}, column ${column}`;
    this.readout.textContent = Number.isNaN(value) ? `${place}: no number`
      : `${place}: ${value.toPrecision(4)} ± ${half.toPrecision(2)}`;
    Object.assign(this.readout.dataset, { row, column, value, half });
  }
}
