// numbers.js - numbers as the cells of a small picture.
import { make } from './dom.js';

// at(row, column) as a canvas, a cell a pixel, in a scale's colours.
export function paintNumbers(rows, columns, at, scale) {
  const canvas = make('canvas', { width: columns, height: rows, class: 'cellsmap' });
  const context = canvas.getContext('2d');
  const image = context.createImageData(columns, rows);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const from = scale.at(at(r, c));
      image.data.set([...scale.colours.slice(from, from + 3), 255], 4 * (r * columns + c));
    }
  context.putImageData(image, 0, 0);
  return canvas;
}
