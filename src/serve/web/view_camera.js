// view_camera.js - the camera's picture on its way through the network, frame by frame.
import { make } from './dom.js';
import { address, isCalledOff, send } from './api.js';
import { Scale } from './colour.js';
import { Sheet } from './sheet.js';
import { paintHeat } from './heatmap.js';
import { button, choice, hint, milliseconds, plural, problem } from './parts.js';
import { bars } from './specimen.js';
import { mapLayers } from './view_layer.js';
import { upload } from './gallery.js';

const MOST = 32; // channels that are shown
const MEMORY = 20; // frames that the figures are means of

// {told, bytes}: JSON with its length before it, then pictures.
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { told, bytes: new Uint8Array(buffer, 4 + length) };
}

export default class CameraView {
  static hasOwnPicture = true;

  constructor(env) {
    this.env = env;
    this.title = make('h1', { tabindex: '-1' }, 'Live');
    this.video = make('video', { muted: '', playsinline: '', 'aria-label': 'The camera’s picture' });
    this.video.muted = true;
    this.frame = make('canvas', { class: 'frame', role: 'img', 'aria-label': 'What the network gets' });
    this.heat = make('canvas', { class: 'frame over-frame', 'aria-hidden': 'true' });
    this.heat.hidden = true;
    this.answer = make('div', { class: 'answer' });
    this.figures = make('p', { class: 'figures', role: 'status' });
    this.told = make('div');
    this.maps = make('div', { class: 'livegrid' });
    this.tools = make('div', { class: 'tools' });
    this.start = button('Start the camera', () => this.open());
    this.stop = button('Stop', () => this.close());
    this.keep = button('Keep this frame', () => this.take());
    this.stop.hidden = this.keep.hidden = true;
    this.element = make('div', { class: 'view camera' }, this.title,
      hint('Each frame goes to the network as soon as the one before has been answered. Nothing leaves this machine, and nothing is stored.'),
      make('div', { class: 'tools' }, this.start, this.stop, this.keep, this.tools), this.told,
      make('div', { class: 'live' }, make('div', { class: 'eye' }, make('div', { class: 'frames' }, this.frame, this.heat), this.figures, this.answer), this.maps), this.video);
    this.video.hidden = true;
    this.times = [];
    addEventListener('resize', () => { this.drawn = ''; });
  }

  async update(state, signal) {
    this.state = state;
    this.model = await this.env.model(state.model, signal);
    const layers = mapLayers(this.model);
    this.layer = layers.some((one) => one.name === state.layer) ? state.layer : (layers[0] || {}).name;
    this.tools.replaceChildren(choice('Layer', layers.map((l) => [l.name, l.name]), this.layer, (layer) => this.env.go({ layer }, true)),
      choice('Heatmap', [['', 'none'], ['gradcam', 'Grad-CAM'], ['layercam', 'LayerCAM']], this.heatmap || '', (method) => { this.heatmap = method; }));
    [this.height, this.width] = this.env.inputSize(this.model);
    this.taken = make('canvas', { width: this.width, height: this.height }).getContext('2d', { willReadFrequently: true });
    for (const canvas of [this.frame, this.heat]) {
      canvas.width = this.width;
      canvas.height = this.height;
    }
  }

  async open() {
    this.told.replaceChildren();
    try {
      if (!navigator.mediaDevices) throw new Error('This browser gives no camera to this address: open the viewer as http://127.0.0.1 or localhost.');
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } });
    } catch (error) {
      const says = { NotAllowedError: 'The camera may not be used: allow it for this page in the browser.', NotFoundError: 'There is no camera.', NotReadableError: 'Another program has the camera.' };
      this.told.replaceChildren(problem(new Error(says[error.name] || error.message), () => this.open()));
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.start.hidden = true;
    this.stop.hidden = this.keep.hidden = false;
    this.isOpen = true;
    this.calling = new AbortController();
    this.run();
  }

  close() {
    this.isOpen = false;
    if (this.calling) this.calling.abort();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.start.hidden = false;
    this.stop.hidden = this.keep.hidden = true;
  }

  leave() {
    this.close();
  }

  // The middle of the camera's picture in the form of the input, as red, green and blue.
  grab() {
    const { videoWidth: w, videoHeight: h } = this.video;
    const share = Math.min(w / this.width, h / this.height);
    const context = this.taken;
    context.drawImage(this.video, (w - share * this.width) / 2, (h - share * this.height) / 2,
      share * this.width, share * this.height, 0, 0, this.width, this.height);
    const image = context.getImageData(0, 0, this.width, this.height);
    const rgba = image.data;
    const rgb = new Uint8Array(this.width * this.height * 3);
    for (let i = 0, k = 0; i < rgba.length; i += 4) {
      rgb[k++] = rgba[i];
      rgb[k++] = rgba[i + 1];
      rgb[k++] = rgba[i + 2];
    }
    return { image, rgb };
  }

  // Sends a frame; gives its answer, and when it was taken.
  async ask() {
    const began = performance.now();
    const { image, rgb } = this.grab();
    const query = { layers: this.layer, channels: MOST, width: image.width, height: image.height, heatmap: this.heatmap, preprocess: this.state.preprocess };
    const response = await send(address(['models', this.state.model, 'live'], query), rgb, this.calling.signal);
    return { began, image, ...unpack(await response.arrayBuffer()) };
  }

  // The next frame goes out when the answer to the last has come, and is on its way while that is painted.
  async run() {
    try {
      let coming = this.ask();
      while (this.isOpen) {
        const { began, image, told, bytes } = await coming;
        if (!this.isOpen) return;
        coming = this.ask();
        coming.catch(() => {}); // told when it is waited for
        this.paint(image, told, bytes);
        this.measure(began, told);
        // The browser needs a moment to show it.
        await new Promise((resolve) => { requestAnimationFrame(resolve); });
      }
    } catch (error) {
      if (isCalledOff(error)) return;
      this.told.replaceChildren(problem(error));
      this.close();
      if (!('status' in error)) throw error;
    }
  }

  measure(began, told) {
    const now = performance.now();
    this.times.push({ now, took: now - began });
    if (this.times.length > MEMORY) this.times.shift();
    const span = now - this.times[0].now;
    const rate = span > 0 ? (1000 * (this.times.length - 1)) / span : 0;
    const took = this.times.reduce((sum, one) => sum + one.took, 0) / this.times.length;
    this.figures.dataset.rate = rate.toFixed(1);
    if (now - (this.said || 0) < 250) return; // so that it can be read
    this.said = now;
    this.figures.textContent = `${rate.toFixed(0)} frames a second; ${milliseconds(took)} from frame to picture, ${milliseconds(told.milliseconds)} of them in the network`;
  }

  paint(image, told, bytes) {
    this.frame.getContext('2d').putImageData(image, 0, 0);
    this.heat.hidden = !told.heatmap;
    if (told.heatmap) {
      const { height, width, offset, is_signed: signed } = told.heatmap;
      paintHeat(this.heat, { height, width, signed, bytes: bytes.subarray(offset, offset + height * width) }, false);
    }
    if (told.scores) this.answer.replaceChildren(bars(told));
    for (const map of told.maps) {
      const sheet = new Sheet({ ...map }, null);
      const size = map.columns * map.width;
      const rows = Math.ceil(map.channels / map.columns) * map.height;
      sheet.picture = { bytes: bytes.subarray(map.offset, map.offset + size * rows), width: size, height: rows };
      this.draw(sheet, map.layer);
    }
  }

  // All channels on one canvas, which a browser shows sooner than many.
  layOut(sheet, layer, n) {
    const key = `${layer} ${n} ${sheet.width}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.limit = 0;
    const across = Math.max(2, Math.min(8, Math.floor(this.maps.clientWidth / 96)));
    const gap = Math.max(1, Math.round(sheet.width / 24));
    const rows = Math.ceil(n / across), width = across * (sheet.width + gap) - gap;
    this.all = make('canvas', { width, height: rows * (sheet.height + gap) - gap, role: 'img', 'aria-label': `Channels of ${layer}`, 'data-channels': n });
    this.image = new ImageData(width, this.all.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.places = Array.from({ length: n }, (_, c) =>
      Math.floor(c / across) * (sheet.height + gap) * width + (c % across) * (sheet.width + gap));
    this.maps.replaceChildren(make('p', { class: 'hint' }, `The first ${plural(n, 'channel')} of ${layer}, on one scale`), this.all);
  }

  draw(sheet, layer) {
    const n = Math.min(MOST, sheet.channels);
    this.layOut(sheet, layer, n);
    // One scale that follows slowly, so that the picture does not flicker.
    const now = Math.max(...sheet.high.slice(0, n));
    this.limit = this.limit ? Math.max(now, 0.95 * this.limit) : now;
    const scale = Scale.of(Math.min(...sheet.low.slice(0, n)), this.limit);
    for (let c = 0; c < n; c++) sheet.paint(this.pixels, this.places[c], this.all.width, c, scale);
    this.all.getContext('2d').putImageData(this.image, 0, 0);
  }

  // The frame becomes a picture like any other.
  async take() {
    const file = await new Promise((resolve) => { this.frame.toBlob(resolve); });
    try {
      const told = await upload(this.env, new File([file], 'camera.png', { type: 'image/png' }));
      this.env.go({ view: 'start', image: told.id });
    } catch (error) {
      this.told.replaceChildren(problem(error));
    }
  }
}
