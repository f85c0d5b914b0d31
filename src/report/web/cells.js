// cells.js - one channel, large: the cell under the pointer, or where arrow keys lead.
import { make } from './dom.js';

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// A canvas of rows × columns in a frame that marks a cell. `look(row, column)` is called for the cell
// that is pointed at; `choose`, where there is one, for the cell that is clicked.
export class Cells {
  constructor(rows, columns, label, look, choose) {
    Object.assign(this, { rows, columns, look });
    this.row = Math.floor(rows / 2);
    this.column = Math.floor(columns / 2);
    this.canvas = make('canvas', { width: columns, height: rows, tabindex: '0', role: 'application', 'aria-label': label });
    this.cursor = make('span', { class: 'cursor', hidden: '' });
    this.element = make('div', { class: 'cells' }, this.canvas, this.cursor);
    this.canvas.addEventListener('pointermove', (event) => this.go(...this.cellAt(event)));
    this.canvas.addEventListener('keydown', (event) => {
      const step = STEPS[event.key];
      if (!step && !(choose && event.key === 'Enter')) return;
      event.preventDefault();
      if (step) this.go(this.row + step[0], this.column + step[1]);
      else choose(this.row, this.column);
    });
    if (choose) this.canvas.addEventListener('click', (event) => {
      this.go(...this.cellAt(event));
      choose(this.row, this.column);
    });
  }

  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return [Math.floor(((event.clientY - box.top) / box.height) * this.rows),
      Math.floor(((event.clientX - box.left) / box.width) * this.columns)];
  }

  go(row, column) {
    this.row = Math.max(0, Math.min(this.rows - 1, row));
    this.column = Math.max(0, Math.min(this.columns - 1, column));
    this.mark(this.cursor, this.row, this.column, this.row, this.column);
    this.look(this.row, this.column);
  }

  // Lays a mark over cells, first and last rows and columns among them.
  mark(element, row, column, lastRow, lastColumn) {
    element.hidden = false;
    element.style.cssText = `left:${(100 * column) / this.columns}%;top:${(100 * row) / this.rows}%;` +
      `width:${(100 * (lastColumn + 1 - column)) / this.columns}%;height:${(100 * (lastRow + 1 - row)) / this.rows}%`;
  }
}
