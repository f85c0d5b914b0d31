// timeline.js - several networks as one that changes: a slider through them, which plays.
import { make } from './dom.js';
import { button } from './parts.js';

const REST = 900; // milliseconds that a network stays, at least

export class Timeline {
  constructor(env) {
    this.env = env;
    this.slider = make('input', { type: 'range', min: '0', max: String(env.models.length - 1), step: '1', 'aria-label': 'Network' });
    this.slider.addEventListener('input', () => env.go({ model: env.models[this.slider.value].id }, true));
    this.play = button('Play', () => this.toggle());
    this.name = make('output', { class: 'which' });
    this.element = make('div', { class: 'timeline', role: 'group', 'aria-label': 'Networks, in the order they were given' }, this.play, this.slider, this.name);
    this.element.hidden = env.models.length < 2;
  }

  update(state) {
    const at = this.env.models.findIndex((one) => one.id === state.model);
    this.slider.value = at;
    this.slider.setAttribute('aria-valuetext', this.env.modelName(state.model));
    this.name.textContent = `${this.env.modelName(state.model)} (${at + 1} of ${this.env.models.length})`;
  }

  toggle() {
    this.isPlaying = !this.isPlaying;
    this.play.textContent = this.isPlaying ? 'Stop' : 'Play';
    if (this.isPlaying) this.step();
  }

  // The next one when what is shown has been painted, however long that takes.
  async step() {
    while (this.isPlaying) {
      const at = this.env.models.findIndex((one) => one.id === this.env.state.model);
      this.env.go({ model: this.env.models[(at + 1) % this.env.models.length].id }, true);
      await Promise.all([this.env.settled(), new Promise((resolve) => { setTimeout(resolve, REST); })]);
    }
  }
}
