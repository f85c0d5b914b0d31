// view_compare.js - chooses what stands beside the picture or the network that is looked at.
import { make } from './dom.js';
import { card } from './specimen.js';
import { Gallery } from './gallery.js';
import { hint } from './parts.js';
import { pairs } from './url.js';

export default class CompareView {
  static hasOwnPicture = true;

  constructor(env) {
    this.env = env;
    this.title = make('h1', { tabindex: '-1' }, 'Compare');
    this.stage = make('div', { class: 'stage two' });
    this.next = make('p', { class: 'ways' });
    this.models = make('div');
    this.gallery = new Gallery(env, (id) => {
      env.go({ withImage: id });
      scrollTo(0, 0);
    }, 'Pictures to compare with');
    this.element = make('div', { class: 'view compare' }, this.title,
      hint('Two pictures show what a layer does for both; two networks show what another training made of the same picture.'),
      this.stage, this.next, this.models,
      make('section', { 'aria-labelledby': 'another' }, make('h2', { id: 'another' }, 'Another picture'), this.gallery.element));
  }

  async update(state, signal) {
    const { env } = this;
    this.gallery.begin(signal);
    this.gallery.mark(state.withImage);
    if (env.models.length > 1)
      this.models.replaceChildren(make('h2', {}, 'Another network'), make('p', { class: 'ways' },
        ...env.models.filter((one) => one.id !== state.model).map((one) => {
          const link = make('a', { class: 'button', href: env.href({ withModel: one.id }) }, env.modelName(one.id));
          if (one.id === state.withModel) link.setAttribute('aria-current', 'true');
          return link;
        })));
    if (!state.image) {
      this.stage.replaceChildren(make('p', { class: 'invite' }, make('a', { href: env.href({ view: 'start' }) }, 'Choose a picture first')));
      return;
    }
    const all = pairs(state);
    const key = JSON.stringify(all);
    if (key !== this.key) {
      this.key = key;
      const lasting = env.lasting(this);
      this.stage.replaceChildren(...all.map((pair) => card(env, pair, lasting, { title: env.titleOf(pair, all) }).element));
    }
    const link = (view, text) => make('a', { class: 'button', href: env.href({ view }) }, text);
    this.next.replaceChildren(...(all.length < 2 ? [hint('Choose what to compare with below.')] : [
      link('network', 'Both, layer by layer'), ' ', link('evidence', 'Both, where the evidence lies'), ' ',
      make('a', { class: 'button', href: env.href({ withImage: null, withModel: null }) }, 'Stop comparing')]));
  }
}
