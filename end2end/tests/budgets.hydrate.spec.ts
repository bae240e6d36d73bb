import { admin, expect, logIn, test, vendor, type Login } from '../test';

const KB = 1024;
const ENDING = /\.(wasm|js|css)$/;

/** Bytes on the wire, as a browser asks for them: the page and, by their endings, its files. */
async function sent(page: import('@playwright/test').Page, path: string, islands: boolean): Promise<Record<string, number>> {
  const sizes: Record<string, number> = { html: 0, wasm: 0, js: 0, css: 0 };
  const reads: Promise<void>[] = [];
  page.on('requestfinished', (request) => {
    const kind = ENDING.exec(new URL(request.url()).pathname)?.[1] ?? (request.resourceType() === 'document' ? 'html' : undefined);
    if (kind) reads.push(request.sizes().then(({ responseBodySize }) => void (sizes[kind] += responseBodySize)));
  });
  const module = islands ? page.waitForEvent('requestfinished', (request) => request.url().endsWith('.wasm')) : undefined;
  await page.goto(path, { waitUntil: 'load' });
  await module;
  // As long as the page itself waits for that: a browser that draws nothing more may never call it idle.
  await page.evaluate(() => new Promise((done) => requestIdleCallback(done, { timeout: 2_000 })));
  await Promise.all(reads);
  return sizes;
}

for (const { name, login, path, islands, html } of [
  { name: 'login', login: undefined, path: '/login', islands: false, html: 5 },
  { name: 'dashboard', login: () => vendor(0), path: '/', islands: true, html: 15 },
  { name: 'products', login: () => vendor(0), path: '/products', islands: true, html: 15 },
  { name: 'new product', login: () => vendor(0), path: '/products/new', islands: false, html: 15 },
  { name: 'orders', login: () => vendor(0), path: '/orders', islands: true, html: 15 },
  { name: 'account', login: () => vendor(0), path: '/account', islands: false, html: 15 },
  { name: 'cache', login: admin, path: '/admin/cache', islands: true, html: 15 },
] as { name: string; login?: () => Login; path: string; islands: boolean; html: number }[]) {
  test(`what is sent for ${name} stays within its budget`, async ({ page }) => {
    if (login) await logIn(page, login());
    const sizes = await sent(page, path, islands);
    console.log(`${name}: ${Object.entries(sizes).map(([kind, size]) => `${kind} ${(size / KB).toFixed(1)} KB`).join(', ')}`);
    expect(sizes.html).toBeLessThanOrEqual(html * KB);
    expect(sizes.css).toBeLessThanOrEqual(5 * KB);
    expect(sizes.js).toBeLessThanOrEqual(islands ? 8 * KB : 0);
    expect(sizes.wasm).toBeLessThanOrEqual(islands ? 80 * KB : 0);
    expect(sizes.wasm > 0, 'only pages with islands have a module').toBe(islands);
  });
}

test('files are kept for good', async ({ page }) => {
  await logIn(page, vendor(0));
  const html = await (await page.request.get('/')).text();
  const files = [...new Set(html.match(/\/pkg\/[\w.-]+\.(?:wasm|js|css)/g))];
  expect(files.length).toBe(3);
  for (const file of files) {
    const response = await page.request.get(file);
    expect(response.status(), file).toBe(200);
    expect(response.headers()['cache-control'], file).toContain('immutable');
  }
});
