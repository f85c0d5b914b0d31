// npy.mjs - a NumPy file of little-endian float32.
import fs from 'node:fs';

export const readNpy = (path) => parseNpy(fs.readFileSync(path));

export function parseNpy(bytes) {
  const length = bytes.readUInt16LE(8);
  const header = bytes.subarray(10, 10 + length).toString('latin1');
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(',').filter((s) => s.trim()).map(Number);
  const body = bytes.subarray(10 + length);
  const values = new Float32Array(body.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = body.readFloatLE(4 * i);
  return { shape, values };
}
