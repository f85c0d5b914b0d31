// colour.js - colours for numbers.

// Tables of 256 colours, three bytes each, by name: they come with the data.
export const maps = {};
export function readMaps(texts) {
  for (const name of ['viridis', 'magma', 'diverging']) maps[name] = readColours(texts[name]);
}

// "440154…" to 256 entries of red, green and blue.
function readColours(text) {
  const rgb = new Uint8Array(text.length / 2);
  for (let i = 0; i < rgb.length; i++) rgb[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return rgb;
}

const NO_NUMBER = [255, 0, 200]; // the colour of what is none
const one = new Uint8ClampedArray([0, 0, 0, 255]), word = new Uint32Array(one.buffer);

// A scale from numbers to colours: from 0 to the largest, or where numbers have a sign from -limit
// to limit, so that 0 has the middle colour.
export class Scale {
  static of(low, high) {
    return new Scale(low < 0, Math.max(Math.abs(low), Math.abs(high)) || 1);
  }

  constructor(isSigned, limit) {
    this.isSigned = isSigned;
    this.low = this.isSigned ? -limit : 0;
    this.high = limit;
    this.colours = this.isSigned ? maps.diverging : maps.viridis;
  }

  // Where the three bytes of a number's colour begin.
  at(value) {
    const share = (value - this.low) / (this.high - this.low);
    return 3 * Math.max(0, Math.min(255, Math.round(255 * share)));
  }

  // A number's colour as four bytes at once, in the order of this machine.
  word(value) {
    const at = this.at(value);
    one.set(Number.isNaN(value) ? NO_NUMBER : this.colours.subarray(at, at + 3));
    return word[0];
  }

  gradient() {
    const stops = [];
    for (let i = 0; i <= 255; i += 15) stops.push(`rgb(${this.colours.slice(3 * i, 3 * i + 3)})`);
    return `linear-gradient(to right, ${stops})`;
  }
}

// A number for people: three digits that count.
export function tell(value) {
  if (value === null || Number.isNaN(value)) return 'no number';
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}
