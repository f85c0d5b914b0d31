// heatmap.js - a map of numbers as colours over a photograph.
import { maps } from './colour.js';
import { LEVELS } from './sheet.js';

// From -1 to 1, or 0 to 1, of the scale.
function share(map, x, y) {
  const level = map.bytes[y * map.width + x];
  if (level > LEVELS) return 0;
  return map.signed ? (2 * level) / LEVELS - 1 : level / LEVELS;
}

// Between the centres of cells, straight; as cells, each its own.
function sample(map, u, v, hasCells) {
  if (hasCells) return share(map, Math.min(map.width - 1, Math.floor(u)), Math.min(map.height - 1, Math.floor(v)));
  const x = Math.max(0, Math.min(map.width - 1, u - 0.5)), y = Math.max(0, Math.min(map.height - 1, v - 0.5));
  const x0 = Math.floor(x), y0 = Math.floor(y);
  const x1 = Math.min(map.width - 1, x0 + 1), y1 = Math.min(map.height - 1, y0 + 1);
  const top = share(map, x0, y0) * (x0 + 1 - x) + share(map, x1, y0) * (x - x0);
  const bottom = share(map, x0, y1) * (x0 + 1 - x) + share(map, x1, y1) * (x - x0);
  return top * (y0 + 1 - y) + bottom * (y - y0);
}

const coloursOf = (map) => (map.signed ? maps.diverging : maps.magma);

// map: bytes, width, height, signed. What is near 0 lets the photograph through.
export function paintHeat(canvas, map, hasCells) {
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  const colours = coloursOf(map);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const t = sample(map, ((column + 0.5) * map.width) / width, ((row + 0.5) * map.height) / height, hasCells);
      const at = 3 * Math.round(255 * (map.signed ? (t + 1) / 2 : t));
      const to = 4 * (row * width + column);
      image.data.set(colours.subarray(at, at + 3), to);
      image.data[to + 3] = 255 * Math.min(1, Math.abs(t) * 1.6);
    }
  context.putImageData(image, 0, 0);
}

// The map's colours from left to right, into a canvas of 256 × 1.
export function paintHeatScale(canvas, map) {
  const colours = coloursOf(map);
  const context = canvas.getContext('2d');
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colours.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  context.putImageData(image, 0, 0);
}
