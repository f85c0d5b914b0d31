// viewer.js - the page: one view at a time, which follows from the address.
import { make } from './dom.js';
import { readMaps } from './colour.js';
import { address, askJson, isCalledOff, listen } from './api.js';
import { pairs, parse } from './url.js';
import { Env } from './env.js';
import { Specimen } from './specimen.js';
import { Timeline } from './timeline.js';
import { takeFiles, upload } from './gallery.js';
import { busy, milliseconds, problem } from './parts.js';
import StartView from './view_start.js';
import NetworkView from './view_network.js';
import LayerView from './view_layer.js';
import ChannelView from './view_channel.js';
import EvidenceView from './view_evidence.js';
import CompareView from './view_compare.js';
import CameraView from './view_camera.js';

const VIEWS = {
  start: StartView, network: NetworkView, layer: LayerView, channel: ChannelView,
  evidence: EvidenceView, compare: CompareView, camera: CameraView,
};
const TABS = [['start', 'Picture'], ['network', 'Layers'], ['evidence', 'Evidence'], ['compare', 'Compare'], ['camera', 'Live']];
const TAB_OF = { layer: 'network', channel: 'network' };
const AGAIN = 1500; // milliseconds until a viewer that is gone is looked for again

const part = (id) => document.getElementById(id);

class Page {
  constructor(env) {
    this.env = env;
    this.views = {};
    env.specimen = new Specimen(part('specimen'));
    this.timeline = new Timeline(env);
    this.tabs = TABS.map(([view, text]) => make('a', { 'data-view': view }, text));
    this.time = make('span', { class: 'latency', title: 'from question to answer, the last one' });
    part('head').replaceChildren(make('a', { class: 'brand', href: '#start' }, 'convscope'),
      make('nav', { 'aria-label': 'Views' }, ...this.tabs), this.time, this.timeline.element);
    this.alarm = make('div', { class: 'alarm', role: 'alert' });
    part('head').append(this.alarm);
    part('skip').addEventListener('click', (event) => { // the address is the view's
      event.preventDefault();
      part('main').focus();
    });
    listen({ time: (ms) => { this.time.textContent = milliseconds(ms); }, reach: (is) => this.reach(is) });
    takeFiles(env, (file) => this.take(file));
    env.follow = () => this.show();
    env.refresh = () => this.refresh();
    env.settled = () => this.showing;
    addEventListener('popstate', () => this.show());
    addEventListener('hashchange', () => this.show());
  }

  show() {
    if (location.hash === this.hash) return this.showing; // an address that was typed comes twice
    this.hash = location.hash;
    this.showing = this.paint();
    return this.showing;
  }

  // All anew, since something could not be shown.
  refresh() {
    this.views = {};
    this.view = null;
    this.hash = null;
    this.env.specimen.key = '';
    return this.show();
  }

  // What the address leaves open: the first model, and no picture that is not there.
  complete(state) {
    const { env } = this;
    const isModel = (id) => env.models.some((one) => one.id === id);
    if (!isModel(state.model)) state.model = env.models[0].id;
    if (state.withModel && !isModel(state.withModel)) delete state.withModel;
    if (!VIEWS[state.view]) state.view = 'start';
    if (state.view === 'channel' && state.channel === undefined) state.channel = 0;
    return state;
  }

  async paint() {
    const { env } = this;
    if (this.going) this.going.abort();
    this.going = new AbortController();
    const { signal } = this.going;
    const state = this.complete(parse(location.hash));
    env.state = state;
    const main = part('main');
    const kind = VIEWS[state.view];
    if (!this.views[state.view]) this.views[state.view] = new kind(env);
    const view = this.views[state.view];
    if (this.view !== view) {
      if (this.view && this.view.leave) this.view.leave();
      main.replaceChildren(view.element);
      this.view = view;
      scrollTo(0, 0);
      if (this.isAwake) view.title.focus({ preventScroll: true });
    }
    this.isAwake = true;
    document.body.dataset.view = state.view;
    part('specimen').hidden = Boolean(kind.hasOwnPicture);
    try {
      if (!state.image) state.image = await env.firstImage(signal);
      this.tell(state);
      await this.know(pairs(state), signal);
      signal.throwIfAborted();
      if (!kind.hasOwnPicture) env.specimen.update(env, pairs(state));
      await view.update(state, signal);
    } catch (error) {
      if (isCalledOff(error) || signal.aborted) return;
      main.replaceChildren(problem(error, () => this.refresh()));
      this.view = null;
      if (!('status' in error)) throw error;
    } finally {
      if (!signal.aborted) main.dataset.shown = location.hash;
    }
  }

  // Names of pictures that a bookmark speaks of.
  async know(all, signal) {
    for (const { image } of all) {
      if (!image || this.env.imageOf(image)) continue;
      const told = await askJson(address(['images'], { id: image }), signal, false);
      for (const one of told.images) this.env.addImage(one);
    }
  }

  tell(state) {
    const tab = TAB_OF[state.view] || state.view;
    for (const link of this.tabs) {
      link.href = this.env.href({ view: link.dataset.view });
      if (link.dataset.view === tab) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    this.timeline.update(state);
    const place = state.view === 'layer' ? state.layer : state.view === 'channel' ? `${state.layer}, channel ${state.channel}` : TABS.find(([view]) => view === tab)[1];
    document.title = `${place} · ${this.env.modelName(state.model)} · convscope`;
  }

  async take(file) {
    this.alarm.replaceChildren(busy(`Reading ${file.name} …`));
    try {
      const told = await upload(this.env, file);
      this.alarm.replaceChildren();
      this.env.go(this.env.state.view === 'compare' && this.env.state.image ? { withImage: told.id } : { image: told.id });
    } catch (error) {
      this.alarm.replaceChildren(problem(error));
      if (!('status' in error)) throw error;
    }
  }

  // A viewer that was gone and is back is asked again for what could not be shown.
  reach(is) {
    if (is && this.isGone) {
      this.isGone = false;
      this.alarm.replaceChildren();
      this.refresh();
    }
    if (is || this.isGone) return;
    this.isGone = true;
    this.alarm.replaceChildren(make('p', { class: 'problem' }, 'The viewer does not answer. As soon as “convscope serve” runs again, this page goes on.'));
    const look = async () => {
      if (!this.isGone) return;
      await askJson(address([]), undefined, false).catch(() => {});
      setTimeout(look, AGAIN);
    };
    setTimeout(look, AGAIN);
  }
}

async function wake() {
  // The cookie has the token now: it needs to stand in no bookmark.
  if (location.search) history.replaceState(null, '', location.pathname + location.hash);
  try {
    const about = await askJson(address([]));
    readMaps(about.colours);
    const { models } = await askJson(address(['models']));
    await new Page(new Env(about, models)).show();
  } catch (error) {
    part('main').replaceChildren(problem(error, () => location.reload()));
    if (!('status' in error)) throw error;
  }
}
wake();
