// peer_onnxruntime.cjs - the passes of bench_engine in onnxruntime, of the same networks with the
// same weights.
//
// usage: node peer_onnxruntime.cjs WEIGHTS OUTPUTS [ROUNDS [JOB]]
//        node peer_onnxruntime.cjs --write WEIGHTS FILE.onnx
//        node peer_onnxruntime.cjs --cold FILE.onnx DIR [PHOTO.png]
// bench_engine MODEL --weights FILE writes WEIGHTS of the book's network and tells OUTPUTS, the means
// of what it, VGG16's convolutions and the MobileNets give, with commas between them; a network is
// not measured unless that is the same to five digits. JOB is a part of the names of the passes to
// measure; all without it.
// --write makes the book's network a file; --cold is one look in a process of its own: the file is
// loaded, a photograph is read as Keras does it, its 8 activations are written to DIR as .npy, the
// mean of the last is told; without PHOTO those of numbers that need no decoding.
// Wants the npm package onnxruntime-node, and for PHOTO pngjs, here, in a folder above or in NODE_PATH:
//     npm install --ignore-scripts onnxruntime-node pngjs
// Without it, it says so and ends well. The model files are written here.
'use strict';

let ort;
try {
  ort = require('onnxruntime-node');
} catch (e) {
  console.log('onnxruntime-node is not installed: nothing to compare with');
  process.exit(process.argv[2] === '--cold' ? 1 : 0);
}

// --- protocol buffers, as far as ONNX wants them: field number, wire type, bytes ---

function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  bytes.push(n);
  return Buffer.from(bytes);
}
const number = (field, n) => Buffer.concat([varint(field * 8), varint(n)]);
function bytes(field, ...parts) {
  const body = Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : p)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

const ints = (name, list) => bytes(5, bytes(1, name), ...list.map((n) => number(8, n)), number(20, 7));
const int = (name, n) => bytes(5, bytes(1, name), number(3, n), number(20, 2));

function value(field, name, dims) {
  const shape = bytes(2, ...dims.map((d) => bytes(1, number(1, d))));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, 1), shape)));
}

// --- weights, in Keras' order of axes ---

const product = (dims) => dims.reduce((a, b) => a * b, 1);

// Numbers of a file, one array after the other.
function fromFile(path) {
  const file = require('fs').readFileSync(path);
  const all = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
  let at = 0;
  return (dims) => all.subarray(at, at += product(dims));
}

// Those of bench/networks.h.
function generated() {
  let state = 1;
  return (dims) => {
    const n = product(dims), size = Math.sqrt(6 * dims[dims.length - 1] / n);
    return Float32Array.from({length: n}, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const x = (state | 0) / 2147483648;
      return dims.length === 1 ? 1 + x / 8 : x * size;
    });
  };
}

// An array with its axes in another order: axis i of the result is axis order[i] of x.
function transposed(x, dims, order) {
  const step = dims.map((_, i) => product(dims.slice(i + 1)));
  const to = order.map((a) => dims[a]), by = order.map((a) => step[a]);
  const out = new Float32Array(x.length), at = to.map(() => 0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = x[from];
    for (let a = to.length - 1; a >= 0; a--) {
      from += by[a];
      if (++at[a] < to[a]) break;
      from -= by[a] * to[a];
      at[a] = 0;
    }
  }
  return out;
}

// --- networks ---

class Network {
  constructor(batch, size, take) {
    this.take = take;
    this.dims = [batch, 3, size, size];
    this.nodes = [];
    this.tensors = [];
    this.outputs = []; // of every layer: name and shape
    this.input = value(11, 'x', this.dims);
    this.shape = this.dims;
    this.last = 'x';
    this.count = 0;
  }

  tensor(dims, data) {
    const name = `w${this.tensors.length}`;
    this.tensors.push(bytes(5, ...dims.map((d) => number(1, d)), number(2, 1), bytes(8, name),
                            bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength))));
    return name;
  }

  node(op, inputs, dims, attributes = []) {
    const name = `y${this.count++}`;
    this.nodes.push(bytes(1, ...[this.last, ...inputs].map((i) => bytes(1, i)), bytes(2, name),
                          bytes(4, op), ...attributes));
    this.last = name;
    this.dims = dims;
  }

  layer() { // what Keras would call one ends here
    this.outputs.push(value(12, this.last, this.dims));
  }

  // Keras' kernel is (height, width, in, out), of a depthwise layer (height, width, channels, 1).
  // A normalisation behind it is multiplied into the weights, as whoever deploys a network does.
  conv(filters, kernel, stride, pad, {depthwise = false, normalised = false} = {}) {
    const [n, c, h, w] = this.dims;
    const out = (size) => Math.floor((size + pad[0] + pad[1] - kernel) / stride) + 1;
    const dims = [kernel, kernel, c, depthwise ? 1 : filters];
    let weights = transposed(this.take(dims), dims, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]), bias;
    if (normalised) {
      const [gamma, beta, mean, variance] = [0, 1, 2, 3].map(() => this.take([filters]));
      const by = (i) => gamma[i] / Math.sqrt(variance[i] + 1e-3);
      const each = weights.length / filters;
      weights = weights.map((v, i) => v * by(Math.floor(i / each)));
      bias = beta.map((v, i) => v - mean[i] * by(i));
    } else {
      bias = this.take([filters]);
    }
    this.node('Conv', [this.tensor([filters, depthwise ? 1 : c, kernel, kernel], weights),
                       this.tensor([filters], bias)], [n, filters, out(h), out(w)],
              [ints('kernel_shape', [kernel, kernel]), ints('strides', [stride, stride]),
               ints('pads', [pad[0], pad[0], pad[1], pad[1]]), int('group', depthwise ? c : 1)]);
  }

  pool() {
    const [n, c, h, w] = this.dims;
    this.node('MaxPool', [], [n, c, h >> 1, w >> 1],
              [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]);
    this.layer();
  }

  globalPool() {
    const [n, c] = this.dims;
    this.node('GlobalAveragePool', [], [n, c, 1, 1]);
  }

  // Keras flattens with the channels last.
  dense(units, activation) {
    const [n, ...rest] = this.dims;
    const inputs = product(rest);
    let weights = this.take([inputs, units]);
    if (rest.length > 1) {
      const [c, h, w] = rest;
      weights = transposed(weights, [h, w, c, units], [2, 0, 1, 3]);
      this.node('Flatten', [], [n, inputs]);
    }
    this.node('Gemm', [this.tensor([inputs, units], weights),
                       this.tensor([units], this.take([units]))], [n, units]);
    this.node(activation, [], this.dims);
    this.layer();
  }

  relu() {
    this.node('Relu', [], this.dims);
    this.layer();
  }

  relu6() {
    this.node('Clip', [this.tensor([], Float32Array.of(0)), this.tensor([], Float32Array.of(6))],
              this.dims);
    this.layer();
  }

  bytes(all) {
    const outputs = all ? this.outputs : [value(12, this.last, this.dims)];
    const graph = bytes(7, ...this.nodes, bytes(2, 'g'), ...this.tensors, this.input, ...outputs);
    return Buffer.concat([number(1, 7), graph, bytes(8, bytes(1, ''), number(2, 13))]);
  }
}

function book(batch, weights) {
  const net = new Network(batch, 150, fromFile(weights));
  for (const filters of [32, 64, 128, 128]) {
    net.conv(filters, 3, 1, [0, 0]);
    net.relu();
    net.pool();
  }
  net.dense(512, 'Relu');
  net.dense(1, 'Sigmoid');
  return net;
}

function vgg16(batch) {
  const net = new Network(batch, 224, generated());
  for (const filters of [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]) {
    if (filters) {
      net.conv(filters, 3, 1, [1, 1]);
      net.relu();
    } else {
      net.pool();
    }
  }
  return net;
}

function mobilenet(batch, alpha) {
  const net = new Network(batch, 224, generated());
  let channels = 32 * alpha;
  net.conv(channels, 3, 2, [0, 1], {normalised: true});
  net.relu6();
  for (const [filters, stride] of [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1],
                                   [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1]]) {
    net.conv(channels, 3, stride, stride === 2 ? [0, 1] : [1, 1], {depthwise: true, normalised: true});
    net.relu6();
    channels = filters * alpha;
    net.conv(channels, 1, 1, [0, 0], {normalised: true});
    net.relu6();
  }
  net.globalPool();
  return net;
}

// --- measuring: all jobs in each round, medians ---

// The input of all programs, and as onnxruntime wants it.
function input([n, c, h, w]) {
  let state = 1;
  const x = Float32Array.from({length: n * c * h * w}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 16777216;
  });
  return new ort.Tensor('float32', transposed(x, [n, h, w, c], [0, 3, 1, 2]), [n, c, h, w]);
}

async function measure(threads, rounds, weights, outputs, only) {
  const one = () => book(1, weights), many = () => book(32, weights);
  const jobs = [['forward b1', one, false, 0], ['forward b1, all activations', one, true, 0],
                ['forward b32', many, false], ['forward b32, all activations', many, true],
                ['VGG16 convolutions b1', () => vgg16(1), false, 1],
                ['MobileNet b1', () => mobilenet(1, 1), false, 2],
                ['MobileNet 0.25 b1', () => mobilenet(1, 0.25), false, 3]];
  const list = [];
  for (const [name, make, all, compared] of jobs.filter((job) => job[0].includes(only))) {
    const net = make();
    const session = await ort.InferenceSession.create(net.bytes(all), {intraOpNumThreads: threads});
    const x = input(net.shape);
    const y = (await session.run({x}))[net.last].data;
    // Half of the fifth digit: its sigmoid is off by 2e-8, which shows there in a number near 0.
    const mean = y.reduce((a, b) => a + b, 0) / y.length, want = outputs[compared];
    if (compared !== undefined && !(Math.abs(mean - want) <= 5e-5 * Math.abs(want))) {
      console.log(`onnxruntime gives ${mean} in ${name} where convscope gives ${want}`);
      continue;
    }
    list.push({name, session, x, ms: []});
  }
  for (let r = 0; r < rounds; r++)
    for (const job of list) {
      const start = process.hrtime.bigint();
      await job.session.run({x: job.x});
      job.ms.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  console.log(`onnxruntime ${ort.env.versions.node}, ${threads} threads, ${rounds} rounds`);
  console.log(`${'pass'.padEnd(32)} ${'ms (best)'.padStart(10)} ${'ms (median)'.padStart(12)}`);
  for (const job of list) {
    job.ms.sort((a, b) => a - b);
    const middle = job.ms[Math.floor(rounds / 2)];
    console.log(`${job.name.padEnd(32)} ${job.ms[0].toFixed(3).padStart(10)} ${middle.toFixed(3).padStart(12)}`);
  }
  console.log('');
}

// The nearest pixels, 0 ... 1. Of the decoders of npm, pngjs takes a process the least time; sharp,
// whose loops are faster, has first to be loaded.
function photo(file, size) {
  const {width, height, data} = require('pngjs').PNG.sync.read(require('fs').readFileSync(file));
  const x = new Float32Array(3 * size * size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const row = Math.floor((i + 0.5) * height / size), column = Math.floor((k + 0.5) * width / size);
      for (let c = 0; c < 3; c++)
        x[(c * size + i) * size + k] = data[4 * (row * width + column) + c] / 255;
    }
  return new ort.Tensor('float32', x, [1, 3, size, size]);
}

// A .npy file, in the order of axes that onnxruntime has.
function npy({data, dims}) {
  const shape = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}), }`;
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
                        Buffer.from(`${shape.padEnd(117)}\n`), raw]);
}

async function cold(file, dir, picture) {
  const session = await ort.InferenceSession.create(file);
  const x = picture ? photo(picture, 150) : input([1, 3, 150, 150]);
  const given = await session.run({x});
  const names = session.outputNames.slice(0, 8);
  for (const name of names) require('fs').writeFileSync(`${dir}/${name}.npy`, npy(given[name]));
  const last = given[names[7]].data;
  console.log(last.reduce((a, b) => a + b, 0) / last.length);
}

async function main() {
  const [mode, from, to] = process.argv.slice(2);
  if (mode === '--write') return require('fs').writeFileSync(to, book(1, from).bytes(true));
  if (mode === '--cold') return cold(from, to, process.argv[5]);
  if (process.argv.length < 4) {
    console.error('usage: peer_onnxruntime.cjs WEIGHTS OUTPUTS [ROUNDS [JOB]]');
    process.exit(2);
  }
  const [weights, outputs] = [mode, from.split(',').map(Number)];
  const rounds = Number(process.argv[4]) || 15;
  const only = process.argv[5] || '';
  const cores = require('os').availableParallelism();
  await measure(1, rounds, weights, outputs, only);
  if (cores > 1) await measure(cores, rounds, weights, outputs, only);
}

main();
