// harness.mjs - a browser, tests that print TAP, and pages whose every error is written down.
import { chromium } from 'playwright-core';
import { createRequire } from 'node:module';
import fs from 'node:fs';

export const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// A camera that shows a moving picture, for who may ask it.
const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export async function launch(args = []) {
  const all = [...(process.getuid() === 0 ? ['--no-sandbox'] : []), ...args];
  const start = (executablePath) => chromium.launch({ executablePath, args: all });
  return start('chromium').catch(() => start('/usr/bin/chromium'));
}
export const launchWithCamera = () => launch(FAKE_CAMERA);

let number = 0, bad = 0;
export async function test(name, body) {
  number++;
  try {
    const said = await body();
    console.log(`ok ${number} - ${name}${said ? ` (${said})` : ''}`);
  } catch (error) {
    bad++;
    console.log(`not ok ${number} - ${name}`);
    for (const line of String(error.stack || error).split('\n')) console.log(`# ${line}`);
  }
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

export function finish() {
  console.log(`1..${number}`);
  process.exit(bad ? 1 : 0);
}

// A page that may ask `allowed(url)` alone; what goes wrong is in page.wrongs.
export async function newPage(browser, allowed, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.wrongs = [];
  page.on('console', (m) => { if (m.type() === 'error') page.wrongs.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (error) => page.wrongs.push(String(error)));
  await page.route('**/*', (route) => {
    const asked = route.request().url();
    if (allowed(asked)) return route.continue();
    page.wrongs.push(`request: ${asked}`);
    return route.abort();
  });
  return page;
}

export function noWrongs(page) {
  const wrongs = page.wrongs.splice(0);
  check(wrongs.length === 0, wrongs.join('\n'));
}

export async function barriers(page) {
  await page.evaluate(axe);
  return (await page.evaluate(() => window.axe.run())).violations
    .filter((v) => ['moderate', 'serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html} ${n.any.map((a) => a.message).join(' ')}`).join(' | ')}`);
}

// A number that another picture would not have.
export const pixelsOf = (locator) => locator.evaluate((c) => {
  const all = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let sum = 0;
  for (let i = 0; i < all.length; i++) sum = (sum * 31 + all[i]) % 4294967291;
  return sum;
});
