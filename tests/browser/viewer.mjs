// viewer.mjs - what a person does with `convscope serve`, in Debian's chromium. Prints TAP.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { barriers, check, finish, launch, launchWithCamera, newPage, noWrongs, pixelsOf, test } from './harness.mjs';
import { parseNpy } from './npy.mjs';

const [, , program, model, images, second, pictures] = process.argv;
// A folder for pictures of the page, to be looked at.
const shots = pictures || process.env.CONVSCOPE_SHOTS;
if (shots) fs.mkdirSync(shots, { recursive: true });
const shoot = async (page, name) => { if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`) }); };

// A viewer, and where it answers.
async function serve(models, ...options) {
  const child = spawn(program, ['serve', ...models, '--port', '0', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    const hear = (text) => {
      said += text;
      const found = said.match(/http:\/\/[^\s]+/);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (status) => reject(new Error(`serve ended with ${status}: ${said}`)));
  });
  return { child, url: new URL('/', url).href, said: () => said };
}
const end = (viewer) => new Promise((resolve) => {
  viewer.child.on('exit', resolve);
  viewer.child.kill('SIGTERM');
});

const folder = fs.mkdtempSync('pictures-');
for (const name of fs.readdirSync(images)) if (/\.(png|jpe?g)$/.test(name)) fs.copyFileSync(path.join(images, name), path.join(folder, name));
fs.copyFileSync(second, path.join(folder, 'second.png'));

const viewer = await serve([model], '--images', folder);
const browser = await launch();

async function open(hash = '', options = {}, at = viewer, by = browser) {
  const page = await newPage(by, (asked) => asked.startsWith(at.url) || /^(data|blob):/.test(asked), options);
  await page.goto(at.url + hash);
  await shown(page);
  return page;
}
// Until what the address says has been painted.
const shown = (page) => page.waitForFunction(() => {
  const main = document.getElementById('main');
  return main.dataset.shown === location.hash && !main.querySelector('[aria-busy]');
});
const api = async (page, where) => page.evaluate(async (url) => (await fetch(`/api/v1/${url}`)).json(), where);
const hashOf = (page) => page.evaluate(() => location.hash);
const inHash = (page, key) => page.evaluate((k) => new URLSearchParams(location.hash.split('?')[1]).get(k), key);

const page = await open();
const all = (await api(page, 'images')).images;
const chelsea = all.find((one) => one.name === 'chelsea.png').id;
const other = all.find((one) => one.name === 'second.png').id;
const network = await api(page, 'models/m0');
const convs = network.layers.filter((layer) => layer.class === 'Conv2D').map((layer) => layer.name);

await test('the start names the network, shows the gallery and invites', async () => {
  noWrongs(page);
  check((await page.locator('h1').textContent()) === path.basename(model), 'the file of the model');
  check(await page.locator('.thumb').count() === 2, 'two pictures');
  check(await page.getByText('Drop a photo here').isVisible(), 'the invitation');
  await shoot(page, 'start_empty');
});

await test('a picture of the gallery is answered as the interface says', async () => {
  await page.locator(`.thumb[data-image="${chelsea}"]`).click();
  await page.locator('.stage .bars li').first().waitFor();
  const told = await api(page, `models/m0/predict?image=${chelsea}`);
  const name = told.scores[0].name || `class ${told.scores[0].class}`;
  check((await page.locator('.stage .bars .name').first().textContent()) === name, name);
  check((await page.locator('.stage .bars .value').first().textContent()).startsWith((100 * told.scores[0].score).toFixed(1)), `${told.scores[0].score}`);
  await page.locator('.stage .seen img').waitFor();
  check(await page.locator('.stage .seen img').evaluate((i) => i.naturalWidth) === 150, 'what the network gets');
  check(/ms/.test(await page.locator('.stage .verdict').textContent()), 'how long it took');
  check(/ms/.test(await page.locator('.latency').textContent()), 'the latency');
  await shown(page);
  await shoot(page, 'start');
  noWrongs(page);
});

await test('pixels of another range are another question', async () => {
  const before = await page.locator('.stage .bars .value').first().textContent();
  await page.getByLabel('Pixels become').selectOption('raw');
  await shown(page);
  const told = await api(page, `models/m0/predict?image=${chelsea}&preprocess=raw`);
  const now = await page.locator('.stage .bars .value').first().textContent();
  check(now !== before && now.startsWith((100 * told.scores[0].score).toFixed(1).slice(0, 3)), `${now}, before ${before}`);
  check(await inHash(page, 'preprocess') === 'raw', 'in the address');
  await page.goBack();
  await shown(page);
  check((await page.locator('.stage .bars .value').first().textContent()) === before, 'back');
  noWrongs(page);
});

await test('the layers are shown in their order, each with its strongest channels', async () => {
  await page.getByRole('link', { name: 'Layers', exact: true }).click();
  await page.locator(`.step[data-layer="${convs[0]}"] canvas`).nth(7).waitFor();
  const names = await page.locator('.step .name').allTextContents();
  check(JSON.stringify(names) === JSON.stringify(network.layers.map((l) => l.name)), names.join());
  const whole = page.locator(`.step[data-layer="${convs[0]}"] canvas`);
  check(await pixelsOf(whole.nth(0)) !== await pixelsOf(whole.nth(1)), 'two channels look the same');
  await shoot(page, 'network');
  noWrongs(page);
});

await test('a box of the flow chart leads to its layer', async () => {
  await page.getByRole('button', { name: 'Flow chart' }).click();
  await page.locator(`.chart-box [data-layer="${convs[1]}"]`).waitFor();
  await shoot(page, 'chart');
  await page.locator(`.chart-box [data-layer="${convs[1]}"]`).click();
  await shown(page);
  check((await page.locator('h1').textContent()) === convs[1], 'the layer');
  await page.goBack();
  await shown(page);
  await page.getByRole('button', { name: 'Flow chart' }).click();
  check(await page.locator('.chart-box').isHidden(), 'it goes away');
  noWrongs(page);
});

await test('a layer shows all channels, sorted and coloured as asked', async () => {
  await page.locator(`.step[data-layer="${convs[1]}"]`).click();
  await shown(page);
  const told = await api(page, `models/m0/layers/${convs[1]}?image=${chelsea}`);
  check(await page.locator('.tile').count() === told.channels, `${told.channels} channels`);
  check(await page.locator('.tile.dead').count() === told.each.dead.length, 'the dead ones are marked');
  await page.waitForTimeout(100);
  await shoot(page, 'layer');
  const first = () => page.locator('.tile').first().getAttribute('data-channel');
  const best = (list) => String(list.indexOf(Math.max(...list)));
  await page.getByLabel('Sort by').selectOption('strength');
  await shown(page);
  check(await first() === best(told.each.mean), `${await first()} first, not ${best(told.each.mean)}`);
  await page.getByLabel('Sort by').selectOption('sparsity');
  await shown(page);
  check(await first() === best(told.each.sparsity), 'the emptiest first');
  await page.getByLabel('Sort by').selectOption('number');
  await shown(page);
  const canvas = page.locator('.tile[data-channel="5"] canvas');
  await page.waitForTimeout(100);
  const before = await pixelsOf(canvas);
  await page.getByLabel('Colours').selectOption('channel');
  await shown(page);
  await page.waitForTimeout(100);
  check(await pixelsOf(page.locator('.tile[data-channel="5"] canvas')) !== before, 'the scale changes nothing');
  check(await inHash(page, 'scale') === 'channel', 'the scale is in the address');
  const width = async () => (await page.locator('.tile').first().boundingBox()).width;
  const small = await width();
  await page.getByLabel('Size of the channels').fill('3');
  check(await width() > 1.5 * small, 'the size');
  noWrongs(page);
});

await test('a value under the pointer is that of the tensor', async () => {
  const channel = 7;
  await page.goto(`${viewer.url}#channel?image=${chelsea}&layer=${convs[1]}&channel=${channel}`);
  await shown(page);
  const bytes = await page.evaluate(async (url) => [...new Uint8Array(await (await fetch(url)).arrayBuffer())],
    `/api/v1/models/m0/layers/${convs[1]}/activation.npy?image=${chelsea}&channel=${channel}`);
  const { shape: [height, width], values } = parseNpy(Buffer.from(bytes));
  const canvas = page.locator('.large canvas').first();
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  for (const [x, y] of [[0.02, 0.02], [0.503, 0.3], [0.77, 0.62], [0.98, 0.98]]) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
    const said = await page.locator('.looking output').evaluate((o) => ({ text: o.textContent, ...o.dataset }));
    check(Number(said.row) === Math.floor(y * height) && Number(said.column) === Math.floor(x * width), said.text);
    const value = values[said.row * width + Number(said.column)];
    check(Math.abs(said.value - value) <= 1e-7 * Math.abs(value), `${said.text}, but ${value}`);
  }
  noWrongs(page);
});

await test('the weights of a first channel are shown in colour', async () => {
  await page.goto(`${viewer.url}#channel?image=${chelsea}&layer=${convs[0]}&channel=3`);
  await shown(page);
  await page.locator('.kernel .first canvas').waitFor();
  const kernel = await api(page, `models/m0/layers/${convs[0]}/weights?channel=3`);
  const { numbers } = kernel.kernel, limit = Math.max(...numbers.map(Math.abs));
  const painted = await page.locator('.kernel .first canvas').evaluate((c) => [...c.getContext('2d').getImageData(0, 0, 1, 1).data]);
  for (let k = 0; k < 3; k++) check(Math.abs(painted[k] - (128 + (127 * numbers[k]) / limit)) <= 1, `${painted} for ${numbers.slice(0, 3)}`);
  noWrongs(page);
});

await test('what excites a channel most is found, with the patch that it saw', async () => {
  await page.locator('.examples a').first().waitFor();
  await page.locator('[data-done="1"] .examples').waitFor();
  check(await page.locator('.examples a').count() >= 1, 'examples');
  check(await page.locator('.examples .mark').first().isVisible(), 'the patch');
  noWrongs(page);
});

await test('a pattern grows before one’s eyes', async () => {
  await page.getByRole('button', { name: 'Grow the pattern' }).click();
  const seen = new Set();
  const picture = page.locator('.growing img');
  await picture.waitFor();
  for (let i = 0; i < 600 && (await page.locator('.growing').getAttribute('data-done')) !== 'yes'; i++) {
    seen.add(await picture.getAttribute('src'));
    await page.waitForTimeout(20);
  }
  check((await page.locator('.growing').getAttribute('data-done')) === 'yes', 'it ends');
  check(seen.size > 1, `${seen.size} pictures on the way`);
  check((await page.locator('.growing .saves a').count()) === 2, 'it can be saved');
  await shoot(page, 'channel');
  noWrongs(page);
  return `${seen.size} pictures on the way`;
});

for (const [k, layer] of convs.slice(0, 2).entries())
  await test(`the number of a chosen cell is made before one’s eyes (${layer})`, async () => {
    const { mean } = (await api(page, `models/m0/layers/${layer}?image=${chelsea}`)).each;
    const channel = mean.indexOf(Math.max(...mean));
    await page.goto(`${viewer.url}#channel?image=${chelsea}&layer=${layer}&channel=${channel}`);
    await shown(page);
    const canvas = page.locator('.large canvas');
    const box = await canvas.boundingBox();
    await canvas.click({ position: { x: 0.4 * box.width, y: 0.45 * box.height } });
    await page.waitForFunction(() => location.hash.includes('row='));
    await shown(page);
    const [row, column] = [await inHash(page, 'row'), await inHash(page, 'column')];
    const told = await api(page, `models/m0/layers/${layer}/pixel?image=${chelsea}&channel=${channel}&row=${row}&column=${column}`);
    const result = Number((await page.locator('.pixel .result span').textContent()).replace('− ', '-'));
    check(Math.abs(result - told.value) <= 0.005 * Math.abs(told.value) + 1e-9, `${result}, but ${told.value}`);
    const terms = await page.locator('.pixel .sum .term').evaluateAll((list) => list.map((t) => Number(t.firstChild.textContent.replace('− ', '-').replace('+ ', ''))));
    const sum = terms.slice(0, -2).reduce((a, b) => a + b, 0);
    check(Math.abs(sum - told.sum) <= 0.01 * terms.length * Math.max(...terms.map(Math.abs)), `${terms} do not add up to ${told.sum}`);
    check(await page.locator('.pixel .product').count() === (k ? 6 : 3), 'windows');
    check(await page.locator('#specimen .mark').isVisible(), 'what it sees on the photograph');
    await page.locator('.gradient canvas').waitFor();
    if (k) await shoot(page, 'number');
    noWrongs(page);
  });

await test('every kind of layer says how its numbers are made', async () => {
  for (const layer of network.layers.filter((l) => l.is_map)) {
    await page.goto(`${viewer.url}#channel?image=${chelsea}&layer=${layer.name}&channel=1&row=2&column=3`);
    await shown(page);
    await page.locator('.pixel h2').waitFor();
    check(!(await page.locator('.pixel .problem').count()), await page.locator('.pixel').textContent());
  }
  noWrongs(page);
});

await test('back and forward lead through what was looked at', async () => {
  const before = await hashOf(page);
  await page.goto(`${viewer.url}#layer?image=${chelsea}&layer=${convs[0]}`);
  await shown(page);
  await page.locator('.tile[data-channel="9"]').click();
  await shown(page);
  check((await page.locator('h1').textContent()) === `${convs[0]}, channel 9`, 'the channel');
  await page.goBack();
  await shown(page);
  check((await page.locator('h1').textContent()) === convs[0], 'the layer');
  await page.goBack();
  await shown(page);
  check(await hashOf(page) === before, 'what was before');
  await page.goForward();
  await page.goForward();
  await shown(page);
  check((await page.locator('h1').textContent()) === `${convs[0]}, channel 9`, 'forward');
  const again = await open(await hashOf(page));
  check((await again.locator('h1').textContent()) === `${convs[0]}, channel 9`, 'a bookmark');
  check((await again.locator('#specimen').textContent()).includes('chelsea.png'), 'its picture by its name');
  noWrongs(again);
  await again.context().close();
});

await test('evidence: two classes, three methods, each with its own map', async () => {
  await page.goto(`${viewer.url}#evidence?image=${chelsea}`);
  await shown(page);
  check(await page.locator('.row').count() === 2, 'two classes');
  check(await page.locator('.heat').count() === 6, 'six maps');
  const seen = new Set();
  for (let i = 0; i < 6; i++) seen.add(await pixelsOf(page.locator('.heat .stack canvas').nth(i)));
  check(seen.size >= 4, `${seen.size} different maps`);
  await shoot(page, 'evidence');
  await page.getByLabel('Opacity of the maps').fill('20');
  check(await page.locator('.heat .stack canvas').first().evaluate((c) => getComputedStyle(c).opacity) === '0.2', 'the opacity');
  noWrongs(page);
});

await test('evidence: a method more, one less, another class and layer', async () => {
  await page.getByLabel('Add a method').selectOption('hirescam');
  await shown(page);
  check(await page.locator('.heat').count() === 8, 'eight maps');
  await page.getByRole('button', { name: /Take Gradient away/ }).first().click();
  await shown(page);
  check(await page.locator('.heat').count() === 6, 'six maps');
  await page.getByLabel('Class', { exact: true }).selectOption('0');
  await shown(page);
  check(await page.locator('.row').count() === 1, 'one class');
  const before = await pixelsOf(page.locator('.heat .stack canvas').first());
  await page.getByLabel('Layer', { exact: true }).selectOption(convs[1]);
  await shown(page);
  check(await pixelsOf(page.locator('.heat .stack canvas').first()) !== before, 'another layer');
  check(await inHash(page, 'at') === convs[1], 'in the address');
  noWrongs(page);
});

await test('evidence: what takes long waits until it is asked for, and is called off by leaving', async () => {
  await page.goto(`${viewer.url}#evidence?image=${chelsea}&methods=gradcam,occlusion,rise&classes=1`);
  await shown(page);
  check(await page.locator('.heat[data-drawn="occlusion"]').count() === 0, 'not yet');
  await page.getByRole('button', { name: /Compute Occlusion/ }).click();
  await page.locator('.heat[data-drawn="occlusion"]').waitFor({ timeout: 60000 });
  await page.getByRole('button', { name: /Compute RISE/ }).click();
  await page.locator('.heat .busy').waitFor();
  const gone = page.waitForEvent('requestfailed', (request) => request.url().includes('method=rise'));
  await page.getByRole('link', { name: 'Layers', exact: true }).click();
  await gone;
  await shown(page);
  noWrongs(page);
});

await test('two pictures beside each other: answers, channels, maps', async () => {
  await page.goto(`${viewer.url}#compare?image=${chelsea}`);
  await shown(page);
  await page.locator(`.thumb[data-image="${other}"]`).click();
  await page.locator('.stage .card').nth(1).locator('.bars li').first().waitFor();
  await shown(page);
  await shoot(page, 'compare');
  await page.getByRole('link', { name: 'Both, layer by layer' }).click();
  await page.locator(`.step[data-layer="${convs[0]}"] .line`).nth(1).waitFor();
  await page.locator(`.step[data-layer="${convs[0]}"]`).click();
  await shown(page);
  check(await page.locator('.tile').first().locator('canvas').count() === 2, 'two pictures of a channel');
  await page.locator('.tile[data-channel="6"]').click();
  await shown(page);
  check(await page.locator('.large canvas').count() === 2, 'both large');
  check(await pixelsOf(page.locator('.large canvas').nth(0)) !== await pixelsOf(page.locator('.large canvas').nth(1)), 'they differ');
  check(await page.locator('#specimen .card').count() === 2, 'both answers');
  await page.getByRole('link', { name: 'Evidence', exact: true }).click();
  await shown(page);
  check(await page.locator('.heat').count() === 12, 'maps of both');
  await page.getByRole('link', { name: 'Stop comparing' }).click();
  await shown(page);
  check(await page.locator('#specimen .card').count() === 1, 'one again');
  noWrongs(page);
});

await test('a picture is brought: chosen, dropped, pasted', async () => {
  const one = await open();
  const name = '<img src=x onerror=hacked=1>"\'.png';
  fs.copyFileSync(second, name);
  await one.locator('input[type=file]').setInputFiles(name);
  await one.waitForFunction(() => location.hash.includes('image='));
  await shown(one);
  check((await one.locator('.stage figcaption').first().textContent()).startsWith(name), 'its name');
  const bytes = [...fs.readFileSync(path.join(images, 'chelsea.png'))];
  const bring = (kind) => one.evaluate(([type, data]) => {
    const transfer = new DataTransfer();
    // Another picture than before, by its bytes, though it looks the same.
    transfer.items.add(new File([new Uint8Array([...data, type.length])], `${type}.png`, { type: 'image/png' }));
    const event = type === 'drop' ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true });
    document.body.dispatchEvent(event);
  }, [kind, bytes]);
  for (const kind of ['drop', 'paste']) {
    const before = await hashOf(one);
    await bring(kind);
    await one.waitForFunction((hash) => location.hash !== hash, before);
    await shown(one);
    check((await one.locator('.stage figcaption').first().textContent()).startsWith(`${kind}.png`), `${kind}: its name`);
    await one.goBack();
    await shown(one);
  }
  check(await one.evaluate(() => typeof window.hacked) === 'undefined', 'a script ran');
  noWrongs(one);
  await one.context().close();
});

await test('what is no picture is refused in words, and nothing else changes', async () => {
  const one = await open(`#start?image=${chelsea}`);
  fs.writeFileSync('no.png', 'this is no picture');
  await one.locator('input[type=file]').setInputFiles('no.png');
  await one.locator('.problem').waitFor();
  check((await one.locator('.problem').textContent()).length > 10, 'words');
  check(await inHash(one, 'image') === chelsea, 'the picture stays');
  check(one.wrongs.every((line) => line.includes('415')), one.wrongs.join('\n'));
  await one.context().close();
});

await test('a picture that is not there and a layer that is not there are told', async () => {
  const one = await open('#layer?image=0123456789abcdef&layer=nonsense');
  await one.locator('#main .problem').first().waitFor();
  check(one.wrongs.every((line) => line.includes('404')), one.wrongs.join('\n'));
  await one.context().close();
});

await test('no answer is painted over a newer one', async () => {
  const one = await open(`#layer?image=${chelsea}&layer=${convs[0]}`);
  let held;
  await one.route(`**/layers/${convs[1]}?*`, async (route) => {
    held = route;
  });
  await one.evaluate(([id, layer]) => { location.hash = `#layer?image=${id}&layer=${layer}`; }, [chelsea, convs[1]]);
  await one.waitForFunction((layer) => document.querySelector('h1').textContent === layer, convs[1]);
  await one.evaluate(([id, layer]) => { location.hash = `#layer?image=${id}&layer=${layer}`; }, [chelsea, convs[2]]);
  await shown(one);
  await held.continue().catch(() => {});
  await one.waitForTimeout(300);
  check(await one.locator('.tile').count() >= 64 && (await one.locator('.facts').textContent()).startsWith('128'), await one.locator('.facts').textContent());
  noWrongs(one);
  await one.context().close();
});

await test('what a network cannot be asked is said in words', async () => {
  const one = await open(`#evidence?image=${chelsea}&methods=gradcam,cam&classes=1`);
  await one.locator('.heat .problem').waitFor();
  check((await one.locator('.heat .problem').textContent()).length > 20, 'words');
  check(await one.locator('.heat[data-drawn="gradcam"]').count() === 1, 'the other map is there');
  check(one.wrongs.length > 0 && one.wrongs.every((line) => line.includes('422') && line.includes('method=cam')), one.wrongs.join('\n'));
  await one.context().close();
});

await test('a viewer with too much to do is asked again', async () => {
  const one = await open();
  let times = 0;
  await one.route(`**/layers/${convs[3]}?*`, async (route) => {
    times++;
    if (times > 2) return route.continue();
    return route.fulfill({ status: 503, headers: { 'Retry-After': '0' }, body: '{"error":{"what":"too much at once","hint":""}}' });
  });
  await one.evaluate(([id, layer]) => { location.hash = `#layer?image=${id}&layer=${layer}`; }, [chelsea, convs[3]]);
  await one.locator('.tile').first().waitFor();
  check(times === 3, `asked ${times} times`);
  check(!(await one.locator('.problem').count()), 'nobody was troubled');
  await one.context().close();
});

await test('pictures and numbers are saved', async () => {
  const one = await open(`#channel?image=${chelsea}&layer=${convs[0]}&channel=3`, { acceptDownloads: true });
  const save = async (click) => {
    const [file] = await Promise.all([one.waitForEvent('download'), click()]);
    return fs.readFileSync(await file.path());
  };
  const png = await save(() => one.locator('.large .saves a').first().click());
  check(png.subarray(1, 4).toString() === 'PNG', 'a PNG of the interface');
  const npy = parseNpy(await save(() => one.locator('.large .saves a').nth(1).click()));
  check(npy.shape.join() === '148,148', `numbers ${npy.shape}`);
  await one.goto(`${viewer.url}#evidence?image=${chelsea}`);
  await shown(one);
  const heat = await save(() => one.locator('.heat .saves button').first().click());
  check(heat.subarray(1, 4).toString() === 'PNG' && heat.readUInt32BE(16) > 400, 'a PNG of what is seen');
  await one.goto(`${viewer.url}#layer?image=${chelsea}&layer=${convs[0]}`);
  await shown(one);
  const sheet = await save(() => one.locator('.channels .saves button').first().click());
  check(sheet.readUInt32BE(16) >= 6 * 148, 'a PNG of all channels');
  noWrongs(one);
  await one.context().close();
});

await test('the keyboard alone goes from the gallery to a number', async () => {
  const one = await open();
  const tabTo = async (what, most = 60) => {
    for (let i = 0; i < most; i++) {
      if (await one.evaluate((sel) => Boolean(document.activeElement.closest(sel)), what)) return;
      await one.keyboard.press('Tab');
    }
    throw new Error(`no way to ${what} by the tab key`);
  };
  await tabTo(`.thumb[data-image="${chelsea}"]`);
  await one.keyboard.press('Enter');
  await one.locator('.stage .bars li').first().waitFor();
  await one.locator('.way').first().focus();
  await one.keyboard.press('Enter');
  await shown(one);
  check(await one.evaluate(() => document.activeElement.tagName) === 'H1', 'the focus is at the new heading');
  await tabTo(`.step[data-layer="${convs[0]}"]`);
  await one.keyboard.press('Enter');
  await shown(one);
  await tabTo('.tile');
  await one.keyboard.press('ArrowRight');
  await one.keyboard.press('ArrowDown');
  await one.keyboard.press('Enter');
  await shown(one);
  await tabTo('.large canvas');
  await one.keyboard.press('ArrowRight');
  await one.keyboard.press('ArrowDown');
  check((await one.locator('.looking output').textContent()).startsWith('row 75, column 74:') ||
    (await one.locator('.looking output').textContent()).startsWith('row 75, column 75:'), await one.locator('.looking output').textContent());
  await one.keyboard.press('Enter');
  await one.locator('.pixel .sum .result').waitFor();
  noWrongs(one);
  await one.context().close();
});

const places = [['start', `#start?image=${chelsea}`], ['network', `#network?image=${chelsea}&chart=1`], ['layer', `#layer?image=${chelsea}&layer=${convs[1]}`],
  ['channel', `#channel?image=${chelsea}&layer=${convs[1]}&channel=3&row=20&column=30`], ['evidence', `#evidence?image=${chelsea}&methods=gradcam,lrp,occlusion`],
  ['compare', `#compare?image=${chelsea}&withImage=${other}`], ['camera', '#camera']];
for (const colorScheme of ['light', 'dark'])
  await test(`axe finds no barrier (${colorScheme})`, async () => {
    const one = await open('', { colorScheme });
    for (const [name, hash] of places) {
      await one.goto(viewer.url + hash);
      await shown(one);
      await one.waitForTimeout(150);
      const found = await barriers(one);
      check(found.length === 0, `${name}: ${found.join('\n')}`);
      if (colorScheme === 'dark') await shoot(one, `dark_${name}`);
    }
    noWrongs(one);
    await one.context().close();
  });

for (const width of [360, 800, 2560])
  await test(`at ${width} pixels nothing is wider than the screen`, async () => {
    const one = await open('', { viewport: { width, height: 800 } });
    for (const [name, hash] of places) {
      await one.goto(viewer.url + hash);
      await shown(one);
      const wide = await one.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= width, `${name}: ${wide} pixels`);
      await shoot(one, `${width}_${name}`);
    }
    noWrongs(one);
    await one.context().close();
  });

await test('the camera: frame by frame, with its channels and answers', async () => {
  const withCamera = await launchWithCamera();
  const one = await open(`#camera?layer=${convs[0]}`, {}, viewer, withCamera);
  await one.getByRole('button', { name: 'Start the camera' }).click();
  await one.locator('.livegrid canvas[data-channels="32"]').waitFor();
  const first = await pixelsOf(one.locator('.livegrid canvas'));
  await one.waitForTimeout(700);
  check(await pixelsOf(one.locator('.livegrid canvas')) !== first, 'the channels do not move');
  check(await one.locator('.answer .bars li').count() >= 1, 'no answer');
  // The best of some seconds, for others may be busy on this machine.
  let rate = 0, said = '';
  for (let i = 0; i < 60 && rate < 20; i++) {
    const now = Number(await one.locator('.figures').getAttribute('data-rate'));
    if (now > rate) [rate, said] = [now, await one.locator('.figures').textContent()];
    await one.waitForTimeout(250);
  }
  await shoot(one, 'camera');
  check(rate >= 20, `${rate}: ${said}`);
  await one.getByLabel('Layer').selectOption(convs[2]);
  await one.waitForFunction((layer) => document.querySelector('.livegrid').textContent.includes(layer), convs[2]);
  await one.getByLabel('Heatmap').selectOption('gradcam');
  await one.locator('.over-frame').waitFor();
  await shoot(one, 'camera_heat');
  await one.getByRole('button', { name: 'Keep this frame' }).click();
  await one.waitForFunction(() => location.hash.startsWith('#start?image='));
  await shown(one);
  check((await one.locator('.stage figcaption').first().textContent()).startsWith('camera.png'), 'the frame is a picture');
  noWrongs(one);
  await withCamera.close();
  return `${rate} frames a second at best; ${said}`;
});

await test('without a camera it is said why there is none', async () => {
  const one = await open('#camera', { permissions: [] });
  await one.getByRole('button', { name: 'Start the camera' }).click();
  await one.locator('.problem').waitFor();
  check(/camera/i.test(await one.locator('.problem').textContent()), 'words');
  await one.context().close();
});

await test('a viewer that is gone is told, and found when it is back', async () => {
  const own = await serve([model], '--images', folder);
  const one = await open(`#network?image=${chelsea}`, {}, own);
  await end(own);
  await one.locator(`.step[data-layer="${convs[2]}"]`).click();
  await one.locator('.alarm .problem').waitFor();
  check((await one.locator('.alarm').textContent()).includes('does not answer'), 'words');
  const port = new URL(own.url).port;
  const back = spawn(program, ['serve', model, '--images', folder, '--port', port], { stdio: 'ignore' });
  await one.locator('.tile').first().waitFor({ timeout: 30000 });
  check(await one.locator('.alarm').isHidden(), 'all is well again');
  back.kill('SIGTERM');
  await one.context().close();
});

// Two networks that differ, in no time.
for (const kind of ['a', 'b']) fs.mkdirSync(`train/${kind}`, { recursive: true });
fs.copyFileSync(path.join(images, 'chelsea.png'), 'train/a/1.png');
fs.copyFileSync(second, 'train/b/1.png');
const learned = ['1', '2'].map((epochs) => {
  execFileSync(program, ['train', '--data', 'train', '--epochs', epochs, '--rate', '0.001', '-o', `epoch-${epochs}`, '-q'], { stdio: 'ignore' });
  fs.renameSync(`epoch-${epochs}/model.h5`, `epoch-${epochs}.h5`);
  return `epoch-${epochs}.h5`;
});
const many = await serve([...learned, model], '--images', folder);

await test('several networks: the slider changes the network and nothing else', async () => {
  const one = await open('', {}, many);
  const layer = (await api(one, 'models/m0')).layers.find((l) => l.class === 'Conv2D').name;
  await one.goto(`${many.url}#channel?image=${chelsea}&layer=${layer}&channel=3`);
  await shown(one);
  const before = await pixelsOf(one.locator('.large canvas'));
  check((await one.locator('.which').textContent()).startsWith('epoch-1.h5 (1 of 3)'), 'which it is');
  await one.getByLabel('Network', { exact: true }).fill('1');
  await shown(one);
  check((await one.locator('.which').textContent()).startsWith('epoch-2.h5 (2 of 3)'), 'the next');
  check(await inHash(one, 'layer') === layer && await inHash(one, 'channel') === '3' && await inHash(one, 'image') === chelsea, 'what is looked at stays');
  check(await pixelsOf(one.locator('.large canvas')) !== before, 'it looks the same');
  await shoot(one, 'timeline');
  await one.getByLabel('Network', { exact: true }).fill('0');
  await shown(one);
  await one.getByRole('button', { name: 'Play' }).click();
  await one.waitForFunction(() => document.querySelector('.which').textContent.includes('2 of 3'));
  await one.getByRole('button', { name: 'Stop' }).click();
  noWrongs(one);
  await one.context().close();
});

await test('two networks beside each other', async () => {
  const one = await open(`#compare?image=${chelsea}`, {}, many);
  await one.getByRole('link', { name: 'epoch-2.h5' }).click();
  await one.locator('.stage .card').nth(1).locator('.bars li').first().waitFor();
  check((await one.locator('.stage .title').allTextContents()).join() === 'epoch-1.h5,epoch-2.h5', 'their names');
  await one.getByRole('link', { name: 'Both, layer by layer' }).click();
  await one.locator('a.step[data-layer] .line').nth(1).waitFor();
  await one.locator('a.step[data-layer]').nth(1).click();
  await shown(one);
  check(await one.locator('.tile').first().locator('canvas').count() === 2, 'two pictures of a channel');
  noWrongs(one);
  await one.context().close();
});

await browser.close();
await test('the viewer ends when it is told to, and well', async () => {
  for (const one of [viewer, many]) {
    const status = await end(one);
    check(status === 0, `status ${status}: ${one.said()}`);
  }
});
finish();
