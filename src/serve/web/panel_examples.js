// panel_examples.js - the pictures of the folder that excite a channel most, and where.
import { make } from './dom.js';
import { tell } from './colour.js';
import { address, askJson, isCalledOff } from './api.js';
import { Photo, busy, count, hint, percent, plural, problem } from './parts.js';

const AGAIN = 500; // milliseconds until the viewer is asked how far it got

export async function showExamples(element, env, state, signal) {
  const url = address(['models', state.model, 'layers', state.layer, 'examples'], { channel: state.channel });
  const again = () => showExamples(element, env, state, signal);
  element.replaceChildren();
  try {
    const model = await env.model(state.model, signal);
    for (;;) {
      const told = await askJson(url, signal, false);
      if (signal.aborted) return;
      const parts = [paint(env, told, env.inputSize(model))];
      if (told.done < 1) parts.push(busy(`${percent(told.done)} of the pictures looked at`));
      else if (!told.examples.length) parts.splice(0, 1, hint('No picture to choose from: start the viewer with --images FOLDER.'));
      element.replaceChildren(...parts);
      element.dataset.done = told.done;
      if (told.done >= 1) return;
      await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
      if (signal.aborted) return;
    }
  } catch (error) {
    if (isCalledOff(error) || signal.aborted) return;
    element.replaceChildren(error.status === 422 ? hint(`${error.message}. ${error.hint}`) : problem(error, again));
  }
}

function paint(env, told, [height, width]) {
  return make('div', { class: 'examples' }, ...told.examples.map((one) => {
    const image = env.imageOf(one.image);
    const photo = new Photo(one.image, '', 320);
    if (one.box) photo.place(one.box, height, width); // else it sees all
    return make('a', { href: env.href({ image: one.image, row: one.row, column: one.column }), 'aria-label': `${image ? image.name : one.image}, ${tell(one.value)}` },
      photo.element, make('span', { class: 'value' }, tell(one.value)));
  }), told.pictures > 1 && told.dead_in ? hint(`Nothing excites it in ${count(told.dead_in)} of ${plural(told.seen, 'picture')}.`) : '');
}
