// data.js - what came with the page: figures as JSON, values as gray pictures.
import { readMaps } from './colour.js';
import { Sheet, LayerMaps } from './sheet.js';

export const data = JSON.parse(document.getElementById('data').textContent);
readMaps(data);

export const layers = data.layers.map((info, i) => new LayerMaps(info.name, info.sheets.map((sheet) =>
  new Sheet(sheet, document.getElementById(`sheet-${i}-${sheet.input}`))), info.shrink));
