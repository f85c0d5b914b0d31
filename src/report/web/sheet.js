// sheet.js - the channels of a layer as bytes of a gray picture.
import { Scale } from './colour.js';

export const LEVELS = 254; // a channel's bytes go from 0 to this; 255 is no number

// The bytes of a gray picture, row after row.
export async function readBytes(image) {
  await image.decode();
  const width = image.naturalWidth, height = image.naturalHeight;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const bytes = new Uint8Array(width * height);
  for (let i = 0; i < bytes.length; i++) bytes[i] = pixels[4 * i];
  return { bytes, width, height };
}

// A layer's channels for one input: width, height and columns of its cells; low, high, mean and
// sparsity of each channel; the numbers of those that are dead; the gray picture.
export class Sheet {
  constructor(info, image) {
    Object.assign(this, info);
    this.image = image;
    this.deadOnes = new Set(info.dead);
  }

  async load() {
    if (!this.picture) this.picture = await readBytes(this.image);
  }

  // Where the bytes of a channel's row begin.
  start(channel, row, width) {
    return (Math.floor(channel / this.columns) * this.height + row) * width + (channel % this.columns) * this.width;
  }

  // The byte at a place of a channel.
  level(channel, row, column) {
    return this.picture.bytes[this.start(channel, row, this.picture.width) + column];
  }

  // What a byte stands for; NaN where the network gave no number.
  valueOf(channel, level) {
    if (level > LEVELS) return NaN;
    return this.low[channel] + (level * (this.high[channel] - this.low[channel])) / LEVELS;
  }

  // How often each byte is in a channel.
  levelCounts(channel) {
    const counts = new Uint32Array(256);
    const { bytes, width } = this.picture;
    for (let row = 0; row < this.height; row++) {
      const from = this.start(channel, row, width);
      for (let column = 0; column < this.width; column++) counts[bytes[from + column]]++;
    }
    return counts;
  }

  value(channel, row, column) {
    return this.valueOf(channel, this.level(channel, row, column));
  }

  // A value is that much off at most.
  precision(channel) {
    return (this.high[channel] - this.low[channel]) / LEVELS / 2;
  }

  draw(canvas, channel, scale) {
    const context = canvas.getContext('2d');
    const image = context.createImageData(this.width, this.height);
    this.paint(new Uint32Array(image.data.buffer), 0, this.width, channel, scale);
    context.putImageData(image, 0, 0);
  }

  // A channel into whole pixels: its first at `to`, rows `stride` apart.
  paint(pixels, to, stride, channel, scale) {
    const { width, height } = this;
    const { bytes, width: wide } = this.picture;
    const colours = new Uint32Array(256);
    for (let level = 0; level < 256; level++) colours[level] = scale.word(this.valueOf(channel, level));
    for (let row = 0; row < height; row++) {
      const from = this.start(channel, row, wide), at = to + row * stride;
      for (let column = 0; column < width; column++) pixels[at + column] = colours[bytes[from + column]];
    }
  }
}

// What a layer makes of one or more inputs, on one scale of colours.
export class LayerMaps {
  constructor(name, sheets, shrink = 1) {
    this.name = name;
    this.shrink = shrink; // a cell of the sheet is that many cells of the layer, each way
    this.sheets = sheets;
    this.channels = this.sheets.length ? this.sheets[0].channels : 0;
    this.scale = Scale.of(
      Math.min(...this.sheets.map((s) => Math.min(...s.low))),
      Math.max(...this.sheets.map((s) => Math.max(...s.high))));
  }

  // One scale for all inputs, so that they can be compared.
  scaleOf(channel, kind) {
    if (kind === 'layer') return this.scale;
    return Scale.of(
      Math.min(...this.sheets.map((s) => s.low[channel])),
      Math.max(...this.sheets.map((s) => s.high[channel])));
  }

  mean(channel) {
    return this.sheets.reduce((sum, s) => sum + s.mean[channel], 0) / this.sheets.length;
  }

  // Share of the values that are not above 0.
  sparsity(channel) {
    return this.sheets.reduce((sum, s) => sum + s.sparsity[channel], 0) / this.sheets.length;
  }

  isDead(channel) {
    return this.sheets.every((s) => s.deadOnes.has(channel));
  }

  // Channel numbers in an order.
  order(kind) {
    const all = Array.from({ length: this.channels }, (_, i) => i);
    if (kind === 'strength') all.sort((a, b) => this.mean(b) - this.mean(a) || a - b);
    if (kind === 'sparsity') all.sort((a, b) => this.sparsity(b) - this.sparsity(a) || a - b);
    return all;
  }

  async load() {
    await Promise.all(this.sheets.map((s) => s.load()));
    if (!this.isClipped) this.clip();
    this.isClipped = true;
  }

  // A few hot cells would leave all others dark: the scale ends where all but one in 500 of the
  // values that are not 0 lie below.
  clip() {
    const BINS = 2048, counts = new Float64Array(BINS);
    const limit = this.scale.high;
    let sum = 0;
    for (const sheet of this.sheets)
      for (let c = 0; c < this.channels; c++)
        sheet.levelCounts(c).forEach((n, level) => {
          const size = n && Math.abs(sheet.valueOf(c, level));
          if (!(size > 0)) return;
          counts[Math.min(BINS - 1, Math.floor((size / limit) * BINS))] += n;
          sum += n;
        });
    let end = BINS, above = 0;
    while (end > 1 && above + counts[end - 1] <= sum / 500) above += counts[--end];
    this.peak = limit;
    this.scale = new Scale(this.scale.isSigned, (limit * end) / BINS);
  }
}
