// env.js - what views share: the state, the models and pictures, and the way to another state.
import { address, askJson } from './api.js';
import { changed, format } from './url.js';

export class Env {
  constructor(about, models) {
    this.methods = about.methods; // to explain
    this.recipes = about.recipes; // of patterns
    this.modes = about.preprocess_modes; // in which pixels become numbers
    this.models = models;
    this.images = new Map();
    this.wanted = new Set(); // long work that somebody asked for
    this.details = new Map();
    this.state = { view: 'start' };
    // Set by the page: shows the state, shows it all anew,
    this.follow = () => {};
    this.refresh = () => {};
    this.settled = () => Promise.resolve(); // waits until it is shown
  }

  // --- where to ---

  href(changes) {
    return format(changed(this.state, changes));
  }

  // Another state. What only turns a knob replaces the address and leaves no step to go back to.
  go(changes, isKnob = false) {
    const hash = this.href(changes);
    if (hash === location.hash) return;
    history[isKnob ? 'replaceState' : 'pushState'](null, '', hash);
    this.follow();
  }

  // A signal for work that outlives a change of the state, until its owner starts other work.
  lasting(owner = this) {
    if (owner.working) owner.working.abort();
    owner.working = new AbortController();
    return owner.working.signal;
  }

  // --- models ---

  modelName(id) {
    const told = this.models.find((one) => one.id === id);
    return told ? told.file.replace(/.*\//, '') : id;
  }

  async model(id, signal) {
    if (!this.details.has(id)) this.details.set(id, await askJson(address(['models', id]), signal));
    if (signal) signal.throwIfAborted();
    return this.details.get(id);
  }

  // Rows and columns of what it gets.
  inputSize(model) {
    return (model.inputs[0].shape || []).slice(1, 3);
  }

  isFirst(model, name) {
    const layer = model.layers.find((one) => one.name === name);
    return Boolean(layer) && layer.from.every((from) => model.layers.some((one) => one.name === from && one.class === 'InputLayer'));
  }

  channelsOf(model, name) {
    const layer = model.layers.find((one) => one.name === name);
    if (!layer || !layer.output_shape) return 0;
    return layer.output_shape[layer.channel_axis > 0 ? layer.channel_axis : layer.output_shape.length - 1];
  }

  allClasses(id) {
    const model = this.details.get(id);
    return (model && model.classes) || [];
  }

  classOf(id, key) {
    const names = this.allClasses(id);
    const at = /^\d+$/.test(key) ? Number(key) : names.indexOf(key);
    return { class: at >= 0 ? at : key, name: names[at] };
  }

  // --- pictures ---

  addImage(image) {
    this.images.set(image.id, { ...this.images.get(image.id), ...image });
  }

  // The one that is looked at where the address names none: the first there is.
  async firstImage(signal) {
    if (this.images.size) return this.images.keys().next().value;
    const { images } = await askJson(address(['images'], { count: 1 }), signal, false);
    for (const image of images) this.addImage(image);
    return images.length ? images[0].id : undefined;
  }

  imageOf(id) {
    return this.images.get(id);
  }

  // What tells a pair from the other.
  titleOf(pair, all) {
    const image = this.imageOf(pair.image);
    const name = image ? image.name : pair.image;
    return all.length > 1 && all[0].model !== all[1].model ? this.modelName(pair.model) : name;
  }
}
