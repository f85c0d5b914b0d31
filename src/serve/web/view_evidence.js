// view_evidence.js - where the evidence lies: classes below, methods beside each other.
import { make } from './dom.js';
import { choice, hint } from './parts.js';
import { HeatCard } from './heatcard.js';
import { className, predict } from './specimen.js';
import { isLong, methodTitle } from './methods.js';
import { mapLayers } from './view_layer.js';
import { pairs } from './url.js';

const AT_FIRST = 'gradcam,layercam,gradient';

export default class EvidenceView {
  constructor(env) {
    this.env = env;
    this.title = make('h1', { tabindex: '-1' }, 'Where the evidence lies');
    this.tools = make('div', { class: 'tools' });
    this.body = make('div', { class: 'rows' });
    this.opacity = make('input', { type: 'range', min: '0', max: '100', value: '65', 'aria-label': 'Opacity of the maps' });
    this.opacity.addEventListener('input', () => this.fade());
    this.fade();
    this.element = make('div', { class: 'view evidence' }, this.title,
      hint('A heatmap says which places of the picture speak for a class. No method is the truth: where several agree, believe it more.'),
      this.tools, this.body);
    this.cards = new Map();
  }

  fade() {
    document.documentElement.style.setProperty('--opacity', this.opacity.value / 100);
  }

  async update(state, signal) {
    const { env } = this;
    if (!state.image) {
      this.body.replaceChildren(hint('Choose a picture first.'));
      return;
    }
    const model = await env.model(state.model, signal);
    const all = pairs(state);
    const told = await predict(all[0], signal, 5);
    if (signal.aborted) return;
    const methods = this.methods(state);
    const classes = this.classes(state, told);
    this.setTools(state, model, told, classes, methods);
    const question = { layer: state.at, target: state.target };
    const used = new Set(), jobs = [];
    const rows = classes.map((one) => {
      const cards = methods.flatMap((method) => all.map((pair, k) => {
        const key = `${one.class} ${method.name} ${k}`;
        used.add(key);
        if (!this.cards.has(key)) this.cards.set(key, new HeatCard(env, method, methods.length > 1 && k === 0 ? () => this.drop(method.name) : null));
        const card = this.cards.get(key);
        const beside = all.length > 1 ? `: ${env.titleOf(pair, all)}` : '';
        jobs.push(() => card.show(pair, { ...question, class: one.class }, `${methodTitle(method)}${beside}`, signal));
        return card.element;
      }));
      return make('section', { class: 'row' }, make('h2', {}, `What speaks for ${className(one)}`), make('div', { class: 'heats' }, ...cards));
    });
    for (const key of this.cards.keys()) if (!used.has(key)) this.cards.delete(key);
    this.body.replaceChildren(...rows);
    await Promise.all(jobs.map((job) => job()));
  }

  methods(state) {
    const names = (state.methods || AT_FIRST).split(',');
    const known = this.env.methods.filter((method) => names.includes(method.name));
    return known.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  }

  // Those that are asked for, else the two likeliest.
  classes(state, told) {
    if (!state.classes) return told.scores.slice(0, 2);
    return state.classes.split(',').map((key) => told.scores.find((s) => String(s.class) === key) || this.env.classOf(state.model, key));
  }

  drop(name) {
    const left = this.methods(this.env.state).map((m) => m.name).filter((other) => other !== name);
    this.env.go({ methods: left.join(',') });
  }

  setTools(state, model, told, classes, methods) {
    const { env } = this;
    const key = JSON.stringify([state.model, state.methods, state.classes, state.at, state.target, told.scores.map((s) => s.class)]);
    if (this.tools.dataset.is === key) return;
    this.tools.dataset.is = key;
    const focused = this.tools.contains(document.activeElement) ? [...this.tools.querySelectorAll('select, input')].indexOf(document.activeElement) : -1;
    const shown = new Set(methods.map((m) => m.name));
    const left = env.methods.filter((m) => !shown.has(m.name));
    const named = (list) => list.map((m) => [m.name, methodTitle(m)]);
    const add = choice('Add a method', [['', 'choose …'], { group: 'quick', options: named(left.filter((m) => !isLong(m))) },
      { group: 'takes longer', options: named(left.filter(isLong)) }], '', (name) => {
      if (name) env.go({ methods: [...shown, name].join(',') });
    });
    const names = env.allClasses(state.model);
    const shownClasses = classes.map((one) => String(one.class)).join(',');
    const options = [['', `the ${Math.min(2, told.scores.length)} likeliest`], ...told.scores.map((s) => [String(s.class), className(s)])];
    const likely = new Set(told.scores.map((s) => s.class));
    const others = names.map((name, i) => [String(i), name]).filter(([i]) => !likely.has(Number(i)));
    if (others.length) options.push({ group: 'all others', options: others });
    const classChoice = choice('Class', options, state.classes && !state.classes.includes(',') ? shownClasses : '', (value) => env.go({ classes: value || null }));
    const layer = choice('Layer', [['', 'the method’s own'], ...mapLayers(model).map((l) => [l.name, l.name])], state.at || '', (value) => env.go({ at: value || null }));
    const target = choice('Explain', [['', 'as the method wants'], ['logit', 'the score'], ['probability', 'the probability']], state.target || '', (value) => env.go({ target: value || null }));
    this.tools.replaceChildren(classChoice, add, layer, target, make('label', {}, 'Opacity ', this.opacity));
    if (focused >= 0) this.tools.querySelectorAll('select, input')[focused]?.focus();
  }
}
