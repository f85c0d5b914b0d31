// page.mjs - what a person does with the report's page, in Debian's chromium. Prints TAP.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { axe, check, finish, launch, newPage, noWrongs, pixelsOf, test } from './harness.mjs';
import { readNpy } from './npy.mjs';

const [, , program, model, photo, second] = process.argv;
const browser = await launch();
const convscope = (...args) => execFileSync(program, [...args, '-q'], { stdio: ['ignore', 'pipe', 'inherit'] });

async function open(folder, options = {}) {
  const url = `file://${path.resolve(folder, 'report.html')}`;
  const page = await newPage(browser, (asked) => asked === url || asked.startsWith('data:'), options);
  await page.goto(url);
  if (options.javaScriptEnabled !== false)
    await page.waitForFunction(() => document.documentElement.dataset.ready === 'yes');
  return page;
}

convscope('report', model, photo, second, '-o', 'book');
const page = await open('book');

await test('the page opens without an error and asks nobody for anything', async () => {
  noWrongs(page);
  check(await page.locator('section.layer').count() === 8, 'eight layers');
  check(await page.locator('.tile').count() === 32 + 32 + 64 + 64 + 4 * 64, 'tiles');
});

await test('nothing moves once it is there', async () => {
  const shift = await page.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; })
      .observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve(sum), 200);
  }));
  check(shift < 0.02, `layout shift ${shift}`);
});

await test('sorting by strength and emptiness puts the right channel first', async () => {
  const layer = JSON.parse(fs.readFileSync('npy/index.json')).layers[0];
  const strongest = layer.channels.reduce((a, b) => (b.mean > a.mean ? b : a)).index;
  const one = await open('one');
  await one.selectOption('#order', 'strength');
  const first = () => one.locator('#layer-3 .tile').first().getAttribute('data-channel');
  check(Number(await first()) === strongest, `first is ${await first()}, not ${strongest}`);
  await one.selectOption('#order', 'sparsity');
  const emptiest = layer.channels.reduce((a, b) => (b.sparsity > a.sparsity ? b : a)).index;
  check(Number(await first()) === emptiest, `first is ${await first()}, not ${emptiest}`);
  await one.selectOption('#order', 'number');
  check(await first() === '0', 'by number');
  await one.context().close();
}, convscope('activations', model, photo, '--layers', 'conv2d_4', '--format', 'npy', '-o', 'npy'),
convscope('report', model, photo, '-o', 'one'));

await test('a value under the pointer is that of the tensor, as exact as the page says', async () => {
  const { shape, values } = readNpy('npy/01_conv2d_4.npy');
  const [, height, width, channels] = shape;
  let seen = 0;
  for (const channel of [0, 7, 35, 63]) {
    await page.locator(`#layer-3 .tile[data-channel="${channel}"]`).click();
    const canvas = page.locator('#zoom canvas').first();
    const box = await canvas.boundingBox();
    for (const [x, y] of [[0.01, 0.01], [0.5, 0.3], [0.77, 0.62], [0.99, 0.99]]) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      const said = await page.locator('#zoom output').evaluate((o) => ({ text: o.textContent, ...o.dataset }));
      check(Number(said.row) === Math.floor(y * height) && Number(said.column) === Math.floor(x * width),
        `row ${said.row}, column ${said.column} at ${x}, ${y}`);
      const value = values[(said.row * width + Number(said.column)) * channels + channel];
      check(Math.abs(said.value - value) <= said.half * 1.0001 + 1e-7, `${said.text}, but ${value}`);
      seen += value > 0;
    }
    await page.keyboard.press('Escape');
  }
  check(seen > 2, 'some values are above 0');
});

await test('arrow keys walk through channels and cells, Escape leads back', async () => {
  await page.locator('#layer-1 .tile').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  check(await page.evaluate(() => document.activeElement.dataset.channel) === '1', 'channel 1 has the focus');
  await page.keyboard.press('Enter');
  await page.locator('#zoom[open]').waitFor();
  await page.locator('#zoom canvas').first().focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowDown');
  check((await page.locator('#zoom output').textContent()).startsWith('row 75, column 73:'), 'the cell is told');
  await page.getByRole('button', { name: 'Channel after' }).click();
  check((await page.locator('#zoom h2').textContent()) === 'conv2d_3, channel 2', 'the next channel');
  await page.keyboard.press('Escape');
  check(await page.evaluate(() => document.activeElement.dataset.channel) === '2', 'back on its tile');
});

await test('another colour scale is another picture of the same values', async () => {
  const canvas = page.locator('#layer-1 .tile canvas').nth(4);
  const before = await pixelsOf(canvas);
  await page.selectOption('#scale', 'channel');
  await page.locator('#layer-1 .grid[data-painted]').waitFor();
  await page.waitForTimeout(100);
  check(await pixelsOf(page.locator('#layer-1 .tile canvas').nth(4)) !== before, 'it looks the same');
  await page.selectOption('#scale', 'layer');
  noWrongs(page);
});

await test('every method draws its own map, and the slider fades it', async () => {
  const figure = page.locator('figure.heat').first(), canvas = figure.locator('.stack canvas');
  const seen = new Set();
  const methods = await page.locator('#method option').count();
  for (let k = 0; k < methods; k++) {
    await page.selectOption('#method', String(k));
    const title = (await page.locator('#method option').nth(k).textContent()).replace(' (pixels)', '');
    await page.waitForFunction((t) => document.querySelector('figure.heat').dataset.drawn === t, title);
    seen.add(await pixelsOf(canvas));
  }
  check(methods >= 6 && seen.size === methods, `${seen.size} pictures by ${methods} methods`);
  const opacity = () => canvas.evaluate((c) => getComputedStyle(c).opacity);
  await page.locator('#opacity').fill('20');
  check(await opacity() === '0.2', `opacity ${await opacity()}`);
  await page.locator('#opacity').press('ArrowRight');
  check(await opacity() === '0.21', `opacity ${await opacity()}`);
  noWrongs(page);
});

await test('all channels of a large layer can be shown', async () => {
  await page.locator('#layer-7 .more').click();
  check(await page.locator('#layer-7 .tile').count() === 128, '128 channels');
  check(await page.evaluate(() => document.activeElement.dataset.channel) === '64', 'the first new one has the focus');
});

for (const width of [360, 800, 2560])
  await test(`at ${width} pixels nothing is wider than the screen`, async () => {
    const narrow = await open('book', { viewport: { width, height: 800 } });
    const wide = await narrow.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `${wide} pixels`);
    noWrongs(narrow);
    await narrow.context().close();
  });

await test('in the dark the ground is dark', async () => {
  const dark = await open('book', { colorScheme: 'dark' });
  const ground = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(ground.match(/\d+/g).slice(0, 3).every((c) => c < 64), ground);
  await dark.context().close();
});

for (const colorScheme of ['light', 'dark'])
  await test(`axe finds no serious barrier (${colorScheme})`, async () => {
    const it = await open('book', { colorScheme });
    await it.evaluate(axe);
    const audit = async () => (await it.evaluate(() => window.axe.run())).violations
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html).join(' | ')}`);
    let found = await audit();
    check(found.length === 0, found.join('\n'));
    await it.locator('.tile').first().click();
    found = await audit();
    check(found.length === 0, found.join('\n'));
    await it.context().close();
  });

await test('it can be printed', async () => {
  const pdf = await page.pdf({ format: 'A4' });
  check(pdf.subarray(0, 5).toString() === '%PDF-' && pdf.length > 100000, `${pdf.length} bytes`);
  noWrongs(page);
});

await test('without scripts there are answers, sheets and maps', async () => {
  const plain = await open('book', { javaScriptEnabled: false });
  check(await plain.locator('.sheet').first().isVisible(), 'sheets');
  check(await plain.locator('.spot').first().isVisible(), 'heatmaps');
  check(!(await plain.locator('#method').isVisible()), 'no control that does nothing');
  await plain.context().close();
});

await test('names that look like scripts are only names', async () => {
  const file = '<!--<script>&<img src=x onerror=hacked=1>"\'.png';
  fs.copyFileSync(photo, file);
  fs.writeFileSync('names.txt', '</script><script>hacked=1</script>\n<b onclick="hacked=1">\n');
  convscope('report', model, file, '--classes', 'names.txt', '-o', 'hostile');
  const hostile = await open('hostile');
  check(await hostile.evaluate(() => typeof window.hacked) === 'undefined', 'a script ran');
  check((await hostile.locator('h3').first().textContent()) === file, 'the file by its name');
  check((await hostile.locator('.bars').textContent()).includes('</script><script>hacked=1</script>'), 'the class');
  await hostile.locator('.tile').first().click();
  check((await hostile.locator('#zoom figcaption').textContent()).startsWith(file), 'in the large picture');
  noWrongs(hostile);
  await hostile.context().close();
});

await browser.close();
finish();
