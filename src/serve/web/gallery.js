// gallery.js - the pictures there are, and the ways to bring another.
import { make } from './dom.js';
import { address, askJson, isCalledOff, send, Problem } from './api.js';
import { button, busy, photoAddress, problem } from './parts.js';

const PAGE = 60; // pictures that are shown at once

// Sends a file and gives what the viewer makes of it.
export async function upload(env, file) {
  const response = await send(address(['images'], { name: (file.name || 'pasted picture').slice(0, 120) }), file);
  const told = await response.json();
  env.addImage({ name: file.name || 'pasted picture', source: 'upload', ...told });
  return told;
}

function fileOf(transfer) {
  return transfer && [...transfer.files].find((file) => file.size);
}

// Files may be dropped on and pasted into the whole page, whatever it shows.
export function takeFiles(env, take) {
  const root = document.documentElement;
  addEventListener('dragover', (event) => {
    event.preventDefault();
    root.classList.add('dragging');
  });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) root.classList.remove('dragging'); });
  addEventListener('drop', (event) => {
    event.preventDefault();
    root.classList.remove('dragging');
    const file = fileOf(event.dataTransfer);
    if (file) take(file);
  });
  addEventListener('paste', (event) => {
    const file = fileOf(event.clipboardData);
    if (file) take(file);
  });
}

export class Gallery {
  // choose(id) is called for the picture that is wanted.
  constructor(env, choose, label = 'Pictures') {
    this.env = env;
    this.choose = choose;
    this.list = make('ul', { class: 'thumbs', 'aria-label': label });
    this.told = make('div', { 'aria-live': 'polite' });
    this.input = make('input', { type: 'file', accept: 'image/jpeg,image/png,image/webp,.npy', class: 'unseen', tabindex: '-1', 'aria-hidden': 'true' });
    this.input.addEventListener('change', () => this.take(this.input.files[0]));
    this.bring = make('div', { class: 'bring' },
      make('p', {}, make('strong', {}, 'Drop a photo here'), ', paste one, or'),
      make('p', { class: 'ways' }, button('Choose a file …', () => this.input.click()),
        make('a', { class: 'button', href: env.href({ view: 'camera' }) }, 'Use the camera')), this.input);
    this.more = button('Show more', () => this.load().catch((error) => this.told.replaceChildren(problem(error))), { class: 'more' });
    this.more.hidden = true;
    this.element = make('div', { class: 'gallery' }, this.bring, this.told, this.list, this.more);
    this.shown = 0;
  }

  async take(file) {
    if (!file) return;
    this.told.replaceChildren(busy(`Reading ${file.name} …`));
    try {
      const told = await upload(this.env, file);
      this.told.replaceChildren();
      this.choose(told.id);
    } catch (error) {
      if (!(error instanceof Problem) && !isCalledOff(error)) throw error;
      this.told.replaceChildren(problem(error));
    }
  }

  // The first pictures, once; after a failure the next call tries again.
  begin(signal) {
    if (this.isBegun) return;
    this.isBegun = true;
    this.load(signal).catch((error) => {
      this.isBegun = false;
      if (!isCalledOff(error)) this.told.replaceChildren(problem(error, () => this.env.refresh()));
    });
  }

  async load(signal) {
    const all = await askJson(address(['images'], { from: this.shown, count: PAGE }), signal, false);
    for (const image of all.images) {
      this.env.addImage(image);
      const picture = make('img', { alt: '', loading: 'lazy', src: photoAddress(image.id, 160) });
      const item = button('', () => this.choose(image.id), { class: 'thumb', 'data-image': image.id });
      picture.addEventListener('error', () => {
        picture.replaceWith(make('span', { class: 'unread' }, 'cannot be read'));
        item.disabled = true;
      }, { once: true });
      item.append(picture, make('span', { class: 'name' }, image.name));
      this.list.append(make('li', {}, item));
    }
    this.shown += all.images.length;
    this.more.hidden = this.shown >= all.total;
    this.total = all.total;
    this.mark();
  }

  mark(id = this.chosen) {
    this.chosen = id;
    for (const item of this.list.querySelectorAll('.thumb'))
      if (item.dataset.image === id) item.setAttribute('aria-current', 'true');
      else item.removeAttribute('aria-current');
  }
}
