// layerdata.js - a layer's channels for each pair of network and picture, ready to be painted.
import { address, askBytes, askJson } from './api.js';
import { asked } from './url.js';
import { LayerMaps, Sheet } from './sheet.js';

const layerParts = (pair, layer, ...rest) => ['models', pair.model, 'layers', layer, ...rest];
export const layerAddress = (pair, layer, what, query = {}) =>
  address(layerParts(pair, layer, ...what), { ...asked(pair), ...query });

// What stands in place of statistics where a channel is one number.
const single = (values) => ({ min: values, max: values, mean: values, std: values.map(() => 0), sparsity: values.map((v) => (v > 0 ? 0 : 1)), dead: [] });

// The sheet as the grid of channels wants it, from what the interface tells.
async function sheetOf(pair, layer, signal) {
  const told = await askJson(layerAddress(pair, layer, []), signal);
  const picture = await askBytes(layerAddress(pair, layer, ['sheet.png']), signal);
  const each = told.each || single(told.values);
  const { mean, sparsity, dead } = each;
  const sheet = new Sheet({ ...told.sheet, mean, sparsity, dead }, null);
  sheet.picture = picture;
  return { sheet, told: { ...told, each } };
}

// {maps, told}: told are the statistics, one of each pair.
export async function loadLayer(all, layer, signal) {
  const loaded = await Promise.all(all.map((pair) => sheetOf(pair, layer, signal)));
  const told = loaded.map((one) => one.told);
  const maps = new LayerMaps(layer, loaded.map((one) => one.sheet), told[0].sheet.shrink);
  await maps.load();
  return { maps, told };
}
