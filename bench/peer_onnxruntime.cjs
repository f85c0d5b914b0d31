// peer_onnxruntime.cjs - the passes of bench_engine in onnxruntime, of networks of the same shapes.
//
// usage: node peer_onnxruntime.cjs [ROUNDS [JOB]]
// JOB is a part of the names of the passes to measure; all without it.
// Wants the npm package onnxruntime-node, here, in a folder above or in NODE_PATH:
//     npm install --ignore-scripts onnxruntime-node
// Without it, it says so and ends well. The model files are written here, with random weights.
'use strict';

let ort;
try {
  ort = require('onnxruntime-node');
} catch (e) {
  console.log('onnxruntime-node is not installed: nothing to compare with');
  process.exit(0);
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

// --- networks ---

class Network {
  constructor(batch, size) {
    this.dims = [batch, 3, size, size];
    this.nodes = [];
    this.tensors = [];
    this.outputs = []; // of every layer: name and shape
    this.input = value(11, 'x', this.dims);
    this.shape = this.dims;
    this.last = 'x';
    this.count = 0;
  }

  tensor(dims, scale) {
    const n = dims.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({length: n}, () => (Math.random() * 2 - 1) * scale);
    const name = `w${this.tensors.length}`;
    this.tensors.push(bytes(5, ...dims.map((d) => number(1, d)), number(2, 1), bytes(8, name),
                            bytes(9, Buffer.from(data.buffer))));
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

  conv(filters, kernel, stride, pad, groups = 1) {
    const [n, c, h, w] = this.dims;
    const out = (size) => Math.floor((size + pad[0] + pad[1] - kernel) / stride) + 1;
    const scale = Math.sqrt(6 / ((c / groups) * kernel * kernel));
    this.node('Conv', [this.tensor([filters, c / groups, kernel, kernel], scale),
                       this.tensor([filters], 0.1)], [n, filters, out(h), out(w)],
              [ints('kernel_shape', [kernel, kernel]), ints('strides', [stride, stride]),
               ints('pads', [pad[0], pad[0], pad[1], pad[1]]), int('group', groups)]);
  }

  pool() {
    const [n, c, h, w] = this.dims;
    this.node('MaxPool', [], [n, c, h >> 1, w >> 1],
              [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]);
    this.layer();
  }

  dense(units, activation) {
    const [n, ...rest] = this.dims;
    const inputs = rest.reduce((a, b) => a * b, 1);
    if (rest.length > 1) this.node('Flatten', [], [n, inputs]);
    this.node('Gemm', [this.tensor([inputs, units], Math.sqrt(6 / inputs)),
                       this.tensor([units], 0.1)], [n, units]);
    this.node(activation, [], this.dims);
    this.layer();
  }

  relu() {
    this.node('Relu', [], this.dims);
    this.layer();
  }

  bytes(all) {
    const outputs = all ? this.outputs : [value(12, this.last, this.dims)];
    const graph = bytes(7, ...this.nodes, bytes(2, 'g'), ...this.tensors, this.input, ...outputs);
    return Buffer.concat([number(1, 7), graph, bytes(8, bytes(1, ''), number(2, 13))]);
  }
}

function book(batch) {
  const net = new Network(batch, 150);
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
  const net = new Network(batch, 224);
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

// Its normalisations are in the weights already, as onnxruntime would put them there.
function mobilenet(batch, alpha) {
  const net = new Network(batch, 224);
  let channels = 32 * alpha;
  net.conv(channels, 3, 2, [0, 1]);
  net.relu();
  for (const [filters, stride] of [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1],
                                   [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1]]) {
    net.conv(channels, 3, stride, stride === 2 ? [0, 1] : [1, 1], channels);
    net.relu();
    channels = filters * alpha;
    net.conv(channels, 1, 1, [0, 0]);
    net.relu();
  }
  return net;
}

// --- measuring: all jobs in each round, medians ---

async function measure(threads, rounds, only) {
  const jobs = [['forward b1', book(1), false], ['forward b1, all activations', book(1), true],
                ['forward b32', book(32), false], ['forward b32, all activations', book(32), true],
                ['VGG16 convolutions b1', vgg16(1), false], ['MobileNet b1', mobilenet(1, 1), false],
                ['MobileNet 0.25 b1', mobilenet(1, 0.25), false]];
  const list = [];
  for (const [name, net, all] of jobs.filter((job) => job[0].includes(only))) {
    const session = await ort.InferenceSession.create(net.bytes(all), {intraOpNumThreads: threads});
    const n = net.shape.reduce((a, b) => a * b, 1);
    const x = new ort.Tensor('float32', Float32Array.from({length: n}, Math.random), net.shape);
    list.push({name, session, x, ms: []});
    await session.run({x});
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

async function main() {
  const rounds = Number(process.argv[2]) || 15;
  const only = process.argv[3] || '';
  const cores = require('os').availableParallelism();
  await measure(1, rounds, only);
  if (cores > 1) await measure(cores, rounds, only);
}

main();
