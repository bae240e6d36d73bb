import { chooseRange, expectFiguresOf, panel } from '../dashboard';
import { expect, isoDay, logIn, openHydrated, test, vendor } from '../test';

test('a change of range shows other figures without loading the page anew', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, `/?dateFrom=${isoDay(-60)}&dateTo=${isoDay(-1)}`);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const [from, to] = [isoDay(-20), isoDay(-3)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(new RegExp(`dateFrom=${from}&dateTo=${to}`));
  await expectFiguresOf(page, from, to);
  expect(await page.evaluate(() => 'sameDocument' in window), 'the document is the same').toBe(true);
});

test('nothing moves while the page loads and comes alive', async ({ page }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push((entry as unknown as { value: number }).value))).observe({
      type: 'layout-shift',
      buffered: true,
    });
  });
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  // A frame for the observer to be told.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
});

test('an open dashboard shows what was changed elsewhere, and leaves alone what its reader is doing', async ({ page }) => {
  await logIn(page, vendor(3));
  await openHydrated(page, '/');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const link = panel(page, 'Top products').locator('tbody a').first();
  const id = (await link.getAttribute('href'))!.split('/').pop()!;

  // Half-typed dates, a chart that is read, an open definition.
  await page.locator('.picker summary').click();
  await page.getByLabel('From', { exact: true }).fill('2026-09-01');
  await page.getByText('Show as a table').click();
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('End');
  const read = await page.locator('.key.now').textContent();

  // Another window of the same vendor: the same cookies, and nothing of this page.
  const path = `/api/vendor/products/${id}`;
  const product = await (await page.request.get(path)).json();
  const answer = await page.request.put(path, { data: { ...product, name: 'Renamed elsewhere' } });
  expect(answer.status()).toBe(200);
  await expect(link).toHaveText('Renamed elsewhere');

  await expect(slider).toBeFocused();
  await expect(page.locator('.key.now')).toHaveText(read!);
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('2026-09-01');
  await expect(page.getByLabel('From', { exact: true })).toHaveAccessibleDescription('1 Sep 2026');
  await expect(panel(page, 'Net sales over time').locator('tbody')).toBeVisible();
});

test('six open dashboards have one stream of events between them, and a seventh opens', async ({ page, context }) => {
  await logIn(page, vendor(0));
  let streams = 0;
  context.on('request', (request) => void (streams += Number(request.url().endsWith('/api/vendor/events'))));
  const tabs = [page];
  while (tabs.length < 7) tabs.push(await context.newPage());
  for (const tab of tabs) await openHydrated(tab, '/');
  // Playwright's pages all count as looked at: only the lock keeps them to one.
  for (const tab of tabs) await expect(tab.getByText('Live', { exact: true })).toBeVisible();
  expect(streams).toBe(1);

  // When the one that has it is closed, another takes over.
  await tabs[0].close();
  await expect(async () => expect(streams).toBe(2)).toPass();
  await expect(tabs[6].getByText('Live', { exact: true })).toBeVisible();
});

test('a range that cannot be loaded leaves the figures, says so and comes by itself when the server is back', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  const figure = panel(page, 'Net sales').locator('.value');
  const before = await figure.textContent();
  await page.evaluate(() => {
    const original = window.fetch;
    Object.assign(window, { away: true });
    window.fetch = (...parameters) => ('away' in window ? Promise.reject(new TypeError('away')) : original(...parameters));
  });
  await page.locator('.picker summary').click();
  await page.getByRole('link', { name: 'Last 90 days' }).click();
  await expect(page.getByRole('alert')).toContainText("Can't reach Vendorscope.");
  await expect(figure).toHaveText(before!);
  await page.evaluate(() => delete (window as unknown as { away?: true }).away);
  await expect(page).toHaveURL(/range=last_90_days/);
  await expect(page.getByRole('alert')).toBeHidden();
  await expect(figure).not.toHaveText(before!);
});

test('what changes while a range cannot be loaded does not make the page forget it', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  await expect(page.locator('.stream')).toHaveText('Live');
  // The way out is cut and the stream is not: the order below is heard of.
  await page.evaluate(() => {
    const original = window.fetch;
    const name = `vendorscope ${document.querySelector('[data-stream]')!.getAttribute('data-stream')}`;
    const heard = new Promise<void>((resolve) => {
      new BroadcastChannel(name).onmessage = (message) => message.data === 'changed' && resolve();
    });
    Object.assign(window, { away: true, refused: 0, heard });
    window.fetch = (...parameters) => {
      if (!('away' in window)) return original(...parameters);
      (window as unknown as { refused: number }).refused += 1;
      return Promise.reject(new TypeError('away'));
    };
  });
  const refused = () => page.evaluate(() => (window as unknown as { refused: number }).refused);
  await page.locator('.picker summary').click();
  await page.getByRole('link', { name: 'Last 90 days' }).click();
  await expect(page.getByRole('alert')).toContainText("Can't reach Vendorscope.");
  const { products } = await (await page.request.get('/api/vendor/products?status=active')).json();
  const order = { customer: { name: 'Mira', country: 'Austria' }, lines: [{ productId: products[0].productId, quantity: 1 }], status: 'pending' };
  expect((await page.request.post('/api/vendor/orders', { data: order })).status()).toBe(201);
  await page.evaluate(() => (window as unknown as { heard: Promise<void> }).heard);
  const before = await refused();
  await expect.poll(refused).toBeGreaterThan(before + 1);
  await page.evaluate(() => delete (window as unknown as { away?: true }).away);
  await expect(page).toHaveURL(/range=last_90_days/);
  await expect(page.getByRole('alert')).toBeHidden();
});

test('keys choose ranges, compare, group and show themselves; not while one types', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  for (const [key, address] of [
    ['w', /range=last_7_days/],
    ['x', /compare=none/],
    ['x', /compare=previous_period/],
    ['m', /range=month_to_date/],
    ['ArrowLeft', /dateFrom=/],
    ['p', /range=last_month/],
    ['i', /interval=week/],
  ] as const) {
    await page.keyboard.press(key);
    await expect(page).toHaveURL(address);
  }
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('c');
  await expect(page.getByLabel('From', { exact: true })).toBeFocused();
  const address = page.url();
  await page.keyboard.press('w');
  expect(page.url()).toBe(address);
  await page.keyboard.press('Escape');
  await expect(page.locator('.picker summary')).toBeFocused();
  await expect(page.getByLabel('From', { exact: true })).toBeHidden();
});

test.describe('on a phone', () => {
  test.use({ hasTouch: true, viewport: { width: 360, height: 800 } });
  test('a tap on the chart shows a point, and it stays until one taps elsewhere', async ({ page }) => {
    await logIn(page, vendor(0));
    await openHydrated(page, `/?dateFrom=${isoDay(-20)}&dateTo=${isoDay(-3)}`);
    const idle = await page.locator('.key.now').textContent();
    await page.locator('.canvas').tap();
    await expect(page.locator('.key.now')).not.toHaveText(idle!);
    await expect(page.locator('.difference')).not.toBeEmpty();
    await page.getByRole('heading', { level: 1 }).tap();
    await expect(page.locator('.key.now')).toHaveText(idle!);
  });
});

test('a definition stands beside its figure, and the picker says days as the page does', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, `/?dateFrom=${isoDay(-40)}&dateTo=${isoDay(-11)}&compare=previous_weeks`);
  const card = panel(page, 'Net sales');
  await card.locator('summary').click();
  const text = card.locator('.define p');
  await expect(text).toContainText(/gross − .* discounts − .* returns = /);
  const [figure, definition] = [(await card.locator('.value').boundingBox())!, (await text.boundingBox())!];
  expect(definition.y).toBeGreaterThanOrEqual(figure.y + figure.height);
  await page.keyboard.press('Escape');
  // That of the first small card too, which has no room to its left.
  const first = panel(page, 'Orders');
  await first.locator('summary').click();
  const [its, shown] = [(await first.boundingBox())!, (await first.locator('.define p').boundingBox())!];
  expect(shown.x).toBeGreaterThanOrEqual(its.x);
  expect(shown.x + shown.width).toBeLessThanOrEqual(its.x + its.width);
  await page.keyboard.press('Escape');

  await page.locator('.picker summary').click();
  await expect(page.getByLabel('Compare to')).toHaveValue('previous_weeks');
  await page.getByLabel('From', { exact: true }).fill('2026-09-01');
  await expect(page.locator('#dateFrom-hint')).toHaveText('1 Sep 2026');
  // What is meant anyway stays out of the address.
  await page.getByLabel('Compare to').selectOption('Previous period');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/dateFrom=2026-09-01/);
  expect(page.url()).not.toMatch(/compare=|interval=/);
});
