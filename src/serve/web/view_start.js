// view_start.js - the first thing that is seen: the network, the pictures, what it says.
import { make } from './dom.js';
import { card } from './specimen.js';
import { Gallery } from './gallery.js';
import { choice, count, hint, plural } from './parts.js';
import { pairs } from './url.js';

const MODES = {
  raw: 'raw: 0 to 255', unit: 'unit: 0 to 1', tf: 'tf: −1 to 1', torch: 'torch: less ImageNet’s mean, by its deviation',
  caffe: 'caffe: blue first, less ImageNet’s mean',
};
const WAYS = [
  ['network', 'Layer by layer', 'Follow the picture through the network: edges first, then parts, then an answer.'],
  ['evidence', 'Where the evidence lies', 'Which places of the picture speak for a class, by several methods.'],
  ['compare', 'Compare', 'Two pictures, or two networks, side by side.'],
  ['camera', 'Live', 'The camera’s picture on its way through the network, frame by frame.'],
];

export default class StartView {
  static hasOwnPicture = true;

  constructor(env) {
    this.env = env;
    this.title = make('h1', { tabindex: '-1' });
    this.lead = make('p', { class: 'lead' });
    this.stage = make('div', { class: 'stage' });
    this.ways = make('nav', { class: 'waysnav', 'aria-label': 'What to look at' });
    this.gallery = new Gallery(env, (id) => {
      env.go({ view: 'start', image: id });
      scrollTo(0, 0); // to the answer
    });
    this.element = make('div', { class: 'view start' }, this.title, this.lead, this.stage, this.ways,
      make('section', { 'aria-labelledby': 'pictures' }, make('h2', { id: 'pictures' }, 'Pictures'), this.gallery.element));
  }

  // How pixels become numbers: what a network was trained with decides it, and no file tells.
  range(state, model) {
    const options = this.env.modes.map((mode) => [mode, MODES[mode] || mode]);
    options[0][1] = `as it seems (${model.preprocess})`;
    return make('div', { class: 'range' },
      choice('Pixels become', options, state.preprocess || 'auto', (mode) => this.env.go({ preprocess: mode === 'auto' ? null : mode })),
      hint('It must be what the network was trained with: else its answers mean nothing.'));
  }

  async update(state, signal) {
    const { env } = this;
    this.gallery.begin(signal);
    const model = await env.model(state.model, signal);
    this.title.textContent = env.modelName(state.model);
    const layers = model.layers.filter((l) => l.class !== 'InputLayer');
    const classes = model.classes && model.classes.length ? ` It knows ${model.classes.length > 8 ? `${count(model.classes.length)} classes` : model.classes.join(' and ')}.` : '';
    this.lead.textContent = `A convolutional network of ${plural(layers.length, 'layer')} and ${count(model.parameters)} learned numbers.${classes}`;
    this.gallery.mark(state.image);
    if (model.refusal) {
      this.stage.replaceChildren(make('p', { class: 'problem' }, `It cannot be computed: ${model.refusal}.`));
      this.ways.replaceChildren();
      return;
    }
    if (!state.image) {
      this.stage.replaceChildren(make('p', { class: 'invite' }, 'Bring it a picture and see what it makes of it.'));
      this.ways.replaceChildren();
      return;
    }
    const key = JSON.stringify(pairs(state));
    if (this.shown !== key) {
      this.shown = key;
      const { element } = card(env, state, env.lasting(), { size: 800, title: 'What the network says' });
      element.append(hint('The network never sees the photograph, only the small picture: a grid of numbers. The bars are its answer. It has one for everything: of what it never learned, too.'));
      element.append(this.range(state, model));
      this.stage.replaceChildren(element);
    }
    this.ways.replaceChildren(...WAYS.map(([view, title, text]) =>
      make('a', { class: 'way', href: env.href({ view }) }, make('strong', {}, title), make('span', {}, text))));
  }
}
