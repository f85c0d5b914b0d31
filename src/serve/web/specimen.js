// specimen.js - a picture, what the network gets of it, and what it says.
import { make } from './dom.js';
import { address, askJson, askPicture } from './api.js';
import { Photo, fill, milliseconds, percent, saves } from './parts.js';
import { tell } from './colour.js';
import { asked } from './url.js';

export const className = (score) => score.name || `class ${score.class}`;

export function bars(told, most = 5) {
  const { scores } = told;
  const isShare = told.is_probability !== false && scores.every((s) => s.score >= 0 && s.score <= 1);
  const largest = Math.max(...scores.map((s) => Math.abs(s.score)), 1e-30);
  const list = make('ol', { class: 'bars' });
  for (const score of scores.slice(0, most)) {
    const filling = make('span');
    filling.style.width = `${100 * Math.max(0, isShare ? score.score : score.score / largest)}%`;
    list.append(make('li', {}, make('span', { class: 'name' }, className(score)),
      make('span', { class: 'bar', 'aria-hidden': 'true' }, filling),
      make('span', { class: 'value' }, isShare ? percent(score.score) : tell(score.score))));
  }
  return list;
}

export const predict = (pair, signal, top = 5) =>
  askJson(address(['models', pair.model, 'predict'], { ...asked(pair), top }), signal);

// How sure it is, in words.
function verdict(told) {
  const [best, next] = told.scores;
  if (!best || told.is_probability === false) return '';
  if (best.score > 0.95) return `It is sure: ${className(best)}.`;
  if (next && best.score - next.score < 0.2) return `It hardly knows: ${className(best)} or ${className(next)}.`;
  return `It thinks: ${className(best)}.`;
}

// A card for a pair; `marks` gets the photograph, so that views can draw fields on it.
export function card(env, pair, signal, options = {}) {
  const image = env.imageOf(pair.image);
  const photo = new Photo(pair.image, image ? image.name : 'the picture', options.size);
  const seenBox = make('div', { class: 'seen' });
  const answer = make('div', { class: 'answer' });
  const title = [];
  if (options.title) title.push(make('h2', { class: 'title' }, options.title));
  const element = make('section', { class: 'card' }, ...title,
    make('div', { class: 'pictures' },
      make('figure', { class: 'file' }, photo.element,
        make('figcaption', {}, image ? `${image.name}${image.width ? `, ${image.width} × ${image.height}` : ''}` : '')),
      make('figure', { class: 'net' }, seenBox)),
    answer);
  const seen = address(['models', pair.model, 'seen'], asked(pair));
  fill(seenBox, signal, async () => {
    const picture = make('img', { alt: 'The same picture as the network gets it', src: await askPicture(seen, signal) });
    await picture.decode().catch(() => {});
    return [picture, make('p', { class: 'hint' }, `what the network gets: ${picture.naturalWidth} × ${picture.naturalHeight}`),
      saves('seen', { png: seen })];
  });
  fill(answer, signal, async () => {
    const told = await predict(pair, signal);
    return [bars(told), make('p', { class: 'verdict' }, verdict(told),
      make('span', { class: 'took' }, `computed in ${milliseconds(told.milliseconds)}`))];
  }, 'The network is looking …');
  return { element, photo };
}

// What is at the side of all views but the first.
export class Specimen {
  constructor(element) {
    this.element = element;
    this.key = '';
  }

  update(env, all, signal) {
    const key = JSON.stringify(all);
    if (key === this.key) return;
    if (this.signal) this.signal.abort();
    this.signal = new AbortController(); // lives as long as the pairs do, whatever view is shown
    this.key = key;
    if (!all[0].image) {
      this.photos = [];
      this.element.replaceChildren(make('section', { class: 'card' }, make('p', {}, 'No picture yet.'),
        make('p', {}, make('a', { href: env.href({ view: 'start' }) }, 'Choose one'))));
      return;
    }
    const cards = all.map((pair) => card(env, pair, this.signal.signal, { size: 512, title: all.length > 1 ? env.titleOf(pair, all) : '' }));
    this.photos = cards.map((one) => one.photo);
    const change = make('p', { class: 'change' }, make('a', { href: env.href({ view: 'start' }) }, 'Another picture'));
    if (all.length > 1) change.append(' · ', make('a', { href: env.href({ withImage: null, withModel: null }) }, 'Stop comparing'));
    this.element.replaceChildren(...cards.map((one) => one.element), change);
  }

  // The part of the picture that is spoken of, or none.
  mark(index, box, height, width) {
    const photo = this.photos && this.photos[index];
    if (!photo) return;
    if (box) photo.place(box, height, width);
    else photo.element.querySelector('.field')?.remove();
  }
}
