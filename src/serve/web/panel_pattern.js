// panel_pattern.js - a channel's pattern, which grows before one's eyes.
import { make } from './dom.js';
import { tell } from './colour.js';
import { Problem, address } from './api.js';
import { button, choice, hint, plain, plural, problem, saves } from './parts.js';

// What the finished pattern does to the channel.
function words({ response, noise }) {
  if (typeof response !== 'number') return 'This is what it looks for.';
  if (!(response > 0)) return 'Nothing that was tried excites it.';
  const times = noise > 0 ? `, ${tell(response / noise)} times as much as noise` : '; noise does not';
  return `It excites the channel by ${tell(response)}${times}.`;
}

export class PatternPanel {
  constructor(env) {
    this.env = env;
    this.element = make('div', { class: 'growing' });
    this.ways = choice('Way', env.recipes.filter((one) => one.steps > 0).map((one) => [one.name, one.title]), env.recipes[0].name, (name) => {
      this.method = name;
      this.stop();
      this.isWanted = true;
      this.grow();
    });
    this.whole = make('div', {}, this.element, this.ways);
    this.isWanted = false; // once asked for, it grows for every channel that is looked at
  }

  show(state) {
    const key = `${state.model} ${state.layer} ${state.channel}`;
    if (key === this.key) return;
    this.stop();
    this.key = key;
    this.element.dataset.done = '';
    this.where = state;
    if (this.isWanted) this.grow();
    else this.element.replaceChildren(button('Grow the pattern', () => {
      this.isWanted = true;
      this.grow();
    }));
  }

  grow() {
    const { model, layer, channel } = this.where;
    const parts = ['models', model, 'layers', layer];
    const query = { channel, method: this.method };
    const picture = make('img', { alt: `What excites channel ${channel} most`, width: '224', height: '224' });
    const bar = make('progress', { max: '1', value: '0', 'aria-label': 'Steps done' });
    const told = make('p', { class: 'hint' }, 'Beginning from noise …');
    picture.hidden = true;
    this.element.replaceChildren(picture, bar, told);
    const began = performance.now();
    this.stream = new EventSource(address([...parts, 'pattern'], query));
    this.stream.addEventListener('pattern', (event) => {
      const now = JSON.parse(event.data);
      if (now.picture) {
        picture.src = now.picture;
        picture.hidden = false;
      }
      bar.value = now.done;
      this.element.dataset.done = now.done;
      const isDone = typeof now.milliseconds === 'number'; // the last event
      told.textContent = isDone ? words(now) : `${Math.round(100 * now.done)} % of ${now.steps} steps: excites it by ${tell(now.climbed)}`;
      if (!isDone) return;
      this.element.dataset.done = 'yes';
      this.stop();
      bar.remove();
      this.element.append(hint(`${plural(now.steps, 'step')} in ${((performance.now() - began) / 1000).toFixed(1)} s.`),
        saves(`${plain(layer)}_${channel}_pattern`, { png: address([...parts, 'pattern.png'], query), npy: address([...parts, 'pattern.npy'], query) }));
    });
    this.stream.addEventListener('error', (event) => {
      let error = new Problem(0, 'The pattern stopped growing.', 'The viewer may be busy or gone.');
      if (event.data) {
        const { error: said } = JSON.parse(event.data);
        if (said) error = new Problem(422, said.what, said.hint);
      }
      this.stop();
      this.element.replaceChildren(problem(error, () => this.grow()));
    });
  }

  stop() {
    if (this.stream) this.stream.close();
    this.stream = null;
  }
}
