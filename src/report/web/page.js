// page.js - the page wakes up.
import { Grid } from './channels.js';
import { Zoom } from './zoom.js';
import { Heat } from './heat.js';
import { layers } from './data.js';

const zoom = new Zoom();
const grids = [...document.querySelectorAll('section.layer')].map((section) => {
  const grid = new Grid(layers[Number(section.dataset.layer)], (channel) => zoom.open(grid, channel));
  section.querySelector('.sheets').replaceWith(...grid.elements);
  return grid;
});
const heats = [...document.querySelectorAll('figure.heat')].map((figure) => new Heat(figure));

// What is near the screen is painted first, all else when there is time: for printing.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries)
    if (entry.isIntersecting) grids.find((grid) => grid.box === entry.target).paint();
}, { rootMargin: '600px' });
for (const grid of grids) watcher.observe(grid.box);

async function paintRest() {
  for (const grid of grids) {
    await new Promise((resolve) => { (window.requestIdleCallback || setTimeout)(resolve); });
    await grid.paint();
  }
  document.documentElement.dataset.ready = 'yes';
}

function onChange(id, act) {
  const control = document.getElementById(id);
  if (control) control.addEventListener('input', act);
  return control;
}

const order = onChange('order', changeGrids), scale = onChange('scale', changeGrids);
function changeGrids() {
  for (const grid of grids) grid.change(order.value, scale.value);
}

const method = onChange('method', showHeats), cells = onChange('cells', showHeats);
function showHeats() {
  for (const heat of heats) heat.show(Number(method.value), cells.checked);
}

const opacity = onChange('opacity', setOpacity);
function setOpacity() {
  document.documentElement.style.setProperty('--opacity', opacity.value / 100);
}

if (method) {
  setOpacity();
  showHeats();
}
paintRest();
