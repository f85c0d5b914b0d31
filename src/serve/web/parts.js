// parts.js - what several views are made of.
import { make, unseen } from './dom.js';
import { address, isCalledOff } from './api.js';

export const count = (n) => Number(n).toLocaleString('en');
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const percent = (share) => (share > 0.9995 && share < 1 ? `${(100 * share).toFixed(3)} %` : `${(100 * share).toFixed(1)} %`);
export const milliseconds = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

export const hint = (text) => make('p', { class: 'hint' }, text);

export function button(text, act, attributes = {}) {
  const element = make('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', act);
  return element;
}

// A choice; options are [value, text] or {group, options}.
let choices = 0;
export function choice(label, options, value, act) {
  const id = `choice-${choices++}`;
  const select = make('select', { id });
  const add = (to, [key, text]) => to.append(make('option', { value: key }, text));
  for (const option of options) {
    if (Array.isArray(option)) add(select, option);
    else {
      const group = make('optgroup', { label: option.group });
      option.options.forEach((one) => add(group, one));
      select.append(group);
    }
  }
  select.value = value;
  select.addEventListener('change', () => act(select.value));
  return make('span', { class: 'choice' }, make('label', { for: id }, label), select);
}

export const busy = (text = 'Computing …') =>
  make('p', { class: 'busy', role: 'status' }, make('span', { class: 'spinner', 'aria-hidden': 'true' }), text);

export function problem(error, again) {
  const box = make('div', { class: 'problem', role: 'alert' }, make('p', {}, make('strong', {}, error.message)));
  if (error.hint) box.append(make('p', {}, error.hint));
  if (again) box.append(button('Try again', again));
  return box;
}

// Fills an element with what a promise gives: a spinner meanwhile, where it lasts, and what went wrong.
// Nothing is painted once the signal has called it off.
export async function fill(element, signal, work, text, again = () => fill(element, signal, work, text)) {
  const timer = setTimeout(() => {
    if (!signal.aborted && !element.childElementCount) element.replaceChildren(busy(text));
  }, 150);
  element.setAttribute('aria-busy', 'true');
  try {
    const made = await work();
    if (!signal.aborted) element.replaceChildren(...[made].flat());
  } catch (error) {
    if (isCalledOff(error) || signal.aborted) return;
    element.replaceChildren(problem(error, again));
    if (!('status' in error)) throw error;
  } finally {
    clearTimeout(timer);
    if (!signal.aborted) element.removeAttribute('aria-busy');
  }
}

export const photoAddress = (image, size) => address(['images', image], { size });

// A photograph with marks over it: place() draws a box given as shares of its height and width.
export class Photo {
  constructor(image, alt, size) {
    this.picture = make('img', { alt, src: photoAddress(image, size) });
    this.element = make('div', { class: 'marked' }, this.picture);
    this.picture.addEventListener('error', () => {
      this.element.replaceChildren(make('p', { class: 'problem' }, 'This picture cannot be shown.'));
    }, { once: true });
  }

  // box: [first row, first column, last row, last column] of an input of that height and width.
  place(box, height, width, kind = 'field') {
    let mark = this.element.querySelector(`.${kind}`);
    if (!mark) {
      mark = make('span', { class: `mark ${kind}`, 'aria-hidden': 'true' });
      this.element.append(mark);
    }
    const [top, left, bottom, right] = box.map((at, i) => {
      const end = i % 2 ? width : height;
      return (100 * Math.max(0, Math.min(end, i < 2 ? at : at + 1))) / end;
    });
    mark.style.cssText = `left:${left}%;top:${top}%;width:${right - left}%;height:${bottom - top}%`;
  }
}

// Links that save a picture and its numbers. A picture is an address or a canvas, perhaps later.
export function saves(name, { png, npy }) {
  const list = make('p', { class: 'saves' });
  if (typeof png === 'string')
    list.append(make('a', { href: png, download: `${name}.png` }, 'PNG', unseen(` of ${name}`)));
  else if (png) list.append(button('PNG', () => saveCanvas(png(), name), { class: 'link', 'aria-label': `PNG of ${name}` }));
  if (npy) list.append(' ', make('a', { href: npy, download: `${name}.npy` }, 'numbers', unseen(` of ${name} as a .npy file`)));
  return list;
}

// Small pictures are saved with whole pixels, 512 at least.
export function saveCanvas(canvas, name) {
  const times = Math.max(1, Math.ceil(512 / Math.max(canvas.width, canvas.height)));
  const large = make('canvas', { width: canvas.width * times, height: canvas.height * times });
  const context = large.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  large.toBlob((file) => {
    const link = make('a', { href: URL.createObjectURL(file), download: `${name}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}

// A name that can be a file's.
export const plain = (text) => text.replace(/[^A-Za-z0-9._-]+/g, '_');
