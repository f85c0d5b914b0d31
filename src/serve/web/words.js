// words.js - layers and channels, said for somebody who sees them for the first time.
import { count, percent, plural } from './parts.js';
import { tell } from './colour.js';

const KINDS = {
  InputLayer: 'the picture as numbers',
  Conv2D: 'looks for small patterns everywhere',
  DepthwiseConv2D: 'looks for small patterns, in each channel by itself',
  SeparableConv2D: 'looks for small patterns, then mixes channels',
  Conv2DTranspose: 'paints small patterns',
  MaxPooling2D: 'keeps the strongest answer of each neighbourhood',
  AveragePooling2D: 'keeps the mean of each neighbourhood',
  GlobalAveragePooling2D: 'keeps one number a channel: its mean',
  GlobalMaxPooling2D: 'keeps one number a channel: its largest',
  BatchNormalization: 'brings each channel to a common scale',
  Activation: 'bends the numbers',
  ReLU: 'drops what is below 0',
  LeakyReLU: 'dampens what is below 0',
  Softmax: 'turns scores into shares of 1',
  Flatten: 'lays all numbers in one row',
  Reshape: 'lays the numbers out anew',
  Dense: 'weighs all numbers against each other',
  Dropout: 'does something while learning only',
  Add: 'adds two ways through the network',
  Concatenate: 'joins channels',
  ZeroPadding2D: 'puts a border of zeros around',
  Rescaling: 'brings pixels to another range',
  UpSampling2D: 'makes the map larger',
};

export const kindText = (layer) => (KINDS[layer.class] ? `${layer.class}: ${KINDS[layer.class]}` : layer.class);

// Without the batch.
const sizes = (layer) => (layer.output_shape || []).slice(1).filter((n) => n > 0);

export function shapeText(layer) {
  return sizes(layer).join(' × ') + (layer.parameters ? `, ${count(layer.parameters)} learned numbers` : '');
}

// What a layer does with its window.
export function windowText(layer) {
  const parts = [];
  if (layer.kernel) parts.push(`window of ${layer.kernel.join(' × ')}`);
  if (layer.strides && layer.strides.some((n) => n > 1)) parts.push(`moves by ${layer.strides.join(' × ')}`);
  if (layer.padding) parts.push(layer.padding === 'same' ? 'zeros around the border' : 'no border');
  if (layer.activation && layer.activation !== 'linear') parts.push(`then ${layer.activation}`);
  return parts.join(', ');
}

// A channel's statistics; each: of all channels.
export function channelText(each, channel) {
  if (each.dead.includes(channel)) return ['Dead: nothing in this picture excites it. Every value is 0 or below.'];
  const filled = 1 - each.sparsity[channel];
  const lines = [];
  if (filled < 0.02) lines.push(`Very choosy: above 0 at ${percent(filled)} of the places.`);
  else if (filled < 0.25) lines.push(`Choosy: above 0 at ${percent(filled)} of the places.`);
  else if (filled < 0.9) lines.push(`Above 0 at ${percent(filled)} of the places.`);
  else lines.push(`Answers nearly everywhere (${percent(filled)} of the places).`);
  lines.push(`From ${tell(each.min[channel])} to ${tell(each.max[channel])}, mean ${tell(each.mean[channel])}, deviation ${tell(each.std[channel])}.`);
  const rank = 1 + each.mean.filter((mean) => mean > each.mean[channel]).length;
  lines.push(`By its mean it is number ${rank} of ${plural(each.mean.length, 'channel')}.`);
  return lines;
}
