import { chromium, type Page } from '@playwright/test';

import { admin, expect, logIn, openHydrated, test, vendor } from '../test';

// The longest that a range's name gets.
const LONG_RANGE = '/?dateFrom=2025-12-15&dateTo=2026-11-20';

/** Texts that begin or end outside of the card they stand on, those that are for listeners alone left out. */
function outside(): string[] {
  const UNSEEN = '.unseen, thead, [hidden], .scroll, svg, option, dialog, details:not([open]) > :not(summary)';
  const found: string[] = [];
  for (const card of document.querySelectorAll('.card:not(.scroll)')) {
    const { left, right, width } = card.getBoundingClientRect();
    const texts = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
    while (width > 0 && texts.nextNode()) {
      const parent = texts.currentNode.parentElement;
      const isHidden = parent?.closest(UNSEEN);
      if (isHidden || !texts.currentNode.textContent?.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      const text = range.getBoundingClientRect();
      let [begins, ends] = [text.left, text.right];
      // Of what is cut off, that part is on the card which is seen.
      for (let box = parent; box && box !== card; box = box.parentElement) {
        if (getComputedStyle(box).overflowX === 'visible') continue;
        const seen = box.getBoundingClientRect();
        [begins, ends] = [Math.max(begins, seen.left), Math.min(ends, seen.right)];
      }
      if (text.width > 0 && (begins < left || ends > right)) found.push(`${texts.currentNode.textContent}`);
    }
  }
  return found;
}

const widthOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth);

test('the menu of periods stays on the screen at every width, whatever the range is called', async ({ page }) => {
  await logIn(page, vendor(0));
  for (const path of ['/', LONG_RANGE, '/returns?range=all']) {
    await page.goto(path);
    for (const width of [320, 360, 600, 641, 700, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const button = page.locator('.picker summary');
      const [frame, text] = [await button.boundingBox(), await button.locator('span').boundingBox()];
      expect(text!.x, `${width} ${path}: the name within its button`).toBeGreaterThanOrEqual(frame!.x);
      expect(text!.x + text!.width).toBeLessThanOrEqual(frame!.x + frame!.width);
      await button.click();
      const menu = await page.locator('.picker .panel').boundingBox();
      expect(menu!.x, `${width} ${path}: the menu`).toBeGreaterThanOrEqual(0);
      expect(menu!.x + menu!.width, `${width} ${path}: the menu`).toBeLessThanOrEqual(width);
      await button.click();
    }
  }
});

test('amounts stay on their cards, nine digits with three decimals too', async ({ page }) => {
  await logIn(page, vendor(20));
  const product = await page.request.post('/api/vendor/products', {
    data: { name: 'Royal attar', category: 'Perfume', unitPrice: 999_999_999, stock: 4_000 },
  });
  const { productId } = await product.json();
  const sold = await page.request.post('/api/vendor/orders', {
    data: { customer: { name: 'Noor', country: 'Kuwait' }, lines: [{ productId, quantity: 80 }], status: 'delivered' },
  });
  expect(sold.status()).toBe(201);
  for (const path of ['/', '/?range=last_12_months', '/returns', '/products', '/orders']) {
    await page.goto(path);
    for (const width of [320, 360, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(outside), `${width} ${path}`).toEqual([]);
      expect(await widthOf(page), `${width} ${path}`).toBeLessThanOrEqual(width);
    }
  }
});

test('totals of orders are seen on a tablet, whoever ordered', async ({ page }) => {
  await logIn(page, vendor(19));
  const { products } = await (await page.request.get('/api/vendor/products')).json();
  const sold = await page.request.post('/api/vendor/orders', {
    data: {
      customer: { name: 'Wilhelmina Alexandrina Constantia '.repeat(3), country: 'Netherlands' },
      lines: [{ productId: products[0].productId, quantity: 1 }],
    },
  });
  expect(sold.status()).toBe(201);
  for (const [path, name] of [['/orders', 'Orders'], ['/products', 'Products'], ['/products?stock=low', 'Products']]) {
    await page.goto(path);
    for (const width of [768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const list = page.getByRole('region', { name });
      const hidden = await list.evaluate((list) => list.scrollWidth - list.clientWidth);
      expect(hidden, `${width} ${path}`).toBeLessThanOrEqual(0);
    }
  }
});

test('a refund is seen whole, however long the name of what comes back', async ({ page }) => {
  await logIn(page, vendor(23));
  const made = await page.request.post('/api/vendor/products', {
    data: { name: 'W'.repeat(150), category: 'Long', unitPrice: 1_000, stock: 9 },
  });
  const lines = [{ productId: (await made.json()).productId, quantity: 2 }];
  const sold = await page.request.post('/api/vendor/orders', {
    data: { customer: { name: 'Anna', country: 'Germany' }, lines, status: 'delivered' },
  });
  const order = `/orders/${(await sold.json()).orderId}`;
  for (const width of [1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const review = `${order}?review=1&form[lines][0][line]=1&form[lines][0][quantity]=1`;
    for (const [path, name] of [[order, 'Items to refund'], [review, 'What is refunded']]) {
      await page.goto(path);
      const list = page.getByRole('region', { name });
      const hidden = await list.evaluate((list) => list.scrollWidth - list.clientWidth);
      expect(hidden, `${width} ${path}`).toBeLessThanOrEqual(0);
    }
  }
});

test('rows of lists are seen whole on a phone, whatever is sold for whatever', async ({ page }) => {
  // Dinars have three decimals, yen none; what is sold last is a right-to-left name of 200 letters.
  for (const [at, unitPrice] of [[20, 999_999_999], [22, 899_999_999]] as const) {
    await logIn(page, vendor(at));
    const products: string[] = [];
    for (const name of ['Wunderbar '.repeat(20).trim(), 'W'.repeat(200), 'عطر ملكي فاخر '.repeat(14).trim()]) {
      const made = await page.request.post('/api/vendor/products', {
        data: { name, category: 'Long '.repeat(20).trim(), unitPrice, stock: 999_999_999 },
      });
      expect(made.status()).toBe(201);
      products.push((await made.json()).productId);
    }
    const lines = products.map((productId) => ({ productId, quantity: 90 }));
    const sold = await page.request.post('/api/vendor/orders', {
      data: { customer: { name: 'Wilhelmina '.repeat(18).trim(), country: 'Netherlands' }, lines, status: 'delivered' },
    });
    expect(sold.status()).toBe(201);
    for (const path of ['/products?sort=price_desc', '/products?stock=low', '/orders', '/returns']) {
      await page.goto(path);
      for (const width of [320, 360, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await widthOf(page), `${width} ${path}`).toBeLessThanOrEqual(width);
        for (const list of await page.locator('.scroll:has(.stacked)').all()) {
          const hidden = await list.evaluate((list) => list.scrollWidth - list.clientWidth);
          expect(hidden, `${width} ${path}`).toBeLessThanOrEqual(0);
          const [card, rows] = [await list.boundingBox(), list.locator('tbody tr > *:visible')];
          const boxes = await rows.evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().right));
          expect(Math.max(0, ...boxes), `${width} ${path}`).toBeLessThanOrEqual(card!.x + card!.width);
        }
      }
    }
  }
});

test('headings that sort are large enough for a finger', async ({ page }) => {
  await logIn(page, vendor(0));
  await page.setViewportSize({ width: 1024, height: 900 });
  for (const path of ['/products', '/orders?status=pending']) {
    await page.goto(path);
    const links = page.locator('main thead a');
    expect(await links.count(), path).toBeGreaterThan(5);
    const heights = await links.evaluateAll((all) => all.map((link) => link.getBoundingClientRect().height));
    expect(Math.min(...heights), path).toBeGreaterThanOrEqual(24);
  }
});

test('text of twice the size is neither cut nor wider than the screen', async ({ baseURL, launchOptions }) => {
  // As a reader sets it in the browser: what is measured in letters follows.
  const args = [...(launchOptions.args ?? []), '--blink-settings=defaultFontSize=32'];
  const browser = await chromium.launch({ ...launchOptions, args });
  const page = await browser.newPage({ baseURL, viewport: { width: 1280, height: 900 } });
  await logIn(page, vendor(0));
  for (const path of ['/', '/products', '/orders', '/returns', '/account', '/products/new']) {
    await page.goto(path);
    expect(await widthOf(page), path).toBeLessThanOrEqual(1280);
    expect(await page.evaluate(outside), path).toEqual([]);
  }
  await page.goto('/');
  const label = page.locator('.lines .label').first();
  expect(await label.evaluate((label) => getComputedStyle(label).fontSize)).toBe('24px');
  await browser.close();
});

test.describe('in the dark', () => {
  test.use({ colorScheme: 'dark', viewport: { width: 760, height: 900 } });

  test('paper is white and has nothing to click', async ({ page }) => {
    await logIn(page, vendor(0));
    const { orders } = await (await page.request.get('/api/vendor/orders?status=delivered')).json();
    for (const path of ['/', '/products', '/orders', '/returns', `/orders/${orders[0].orderId}`]) {
      await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
      await page.goto(path);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      const colour = await page.evaluate(() => getComputedStyle(document.body).color);
      expect(Math.max(...colour.match(/\d+/g)!.map(Number)), `${path}: ink is dark`).toBeLessThan(64);
      // A list whose rows can be picked is a form, and printed.
      const toClick = page.locator('form:not(.picking):visible, input:visible, select:visible, nav:visible, button:visible, .button:visible, .exports:visible');
      await expect(toClick, path).toHaveCount(0);
      await expect(page.locator('main table tbody tr:visible').first(), path).toBeVisible();
    }
  });
});

test('the list of orders does not move as its script arrives', async ({ page }) => {
  await logIn(page, vendor(34));
  await page.addInitScript(() => {
    const moved: number[] = [];
    Object.assign(window, { moved });
    const note = (entry: PerformanceEntry) => moved.push((entry as unknown as { value: number }).value);
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
    observer.observe({ type: 'layout-shift' });
  });
  // A page that is long in coming is shown in parts, which move each other; so the script waits for the last of them.
  let arrive = () => {};
  let held = Promise.resolve();
  await page.route(/\.wasm$/, async (route) => {
    await held;
    await route.continue();
  });
  const painted = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const moved = () => page.evaluate(() => (window as unknown as { moved: number[] }).moved.splice(0));
  for (const width of [320, 360, 390, 412, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    held = new Promise((go) => (arrive = go));
    await page.goto('/orders');
    await painted();
    await moved();
    arrive();
    await expect(page.locator('.stream')).toHaveText('Live');
    await painted();
    expect(await moved(), `${width}`).toEqual([]);
  }
});

test('the fields of a filter stand in a line, with days and without', async ({ page }) => {
  await logIn(page, vendor(0));
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const path of ['/orders', '/orders?dateFrom=2026-11-01&dateTo=2026-11-20']) {
    await page.goto(path);
    const fields = page.locator('form.filter[action="/orders"] :is(input:not([type=hidden]), select, button)');
    const bottoms = await fields.evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().bottom)));
    expect(new Set(bottoms).size, `${path}: ${bottoms}`).toBe(1);
  }
});

test('on a phone no item of an order, no user and no vendor lies beside the screen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await logIn(page, vendor(20));
  // Ninety of one name without a space, at nine digits with three decimals.
  const product = await page.request.post('/api/vendor/products', {
    data: { name: 'W'.repeat(200), category: 'Perfume', unitPrice: 999_999_999, stock: 4_000 },
  });
  const { productId } = await product.json();
  const sold = await page.request.post('/api/vendor/orders', {
    data: { customer: { name: 'Noor', country: 'Kuwait' }, lines: [{ productId, quantity: 90 }], status: 'delivered' },
  });
  const path = `/orders/${(await sold.json()).orderId}`;
  const cut = () => page.locator('.scroll').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.ariaLabel));
  await page.goto(path);
  await expect(page.getByRole('region', { name: 'Items to refund' })).toBeVisible();
  expect(await cut()).toEqual([]);
  expect(await widthOf(page)).toBeLessThanOrEqual(360);
  await expect(page.getByRole('region', { name: 'Items in this order' })).toContainText('Discount');
  await logIn(page, admin());
  for (const path of ['/admin', '/admin/vendors', '/admin/users', '/admin/audit', '/account']) {
    await page.goto(path);
    expect(await cut(), path).toEqual([]);
  }
});

test('on a phone the number of a card is larger than its label, however long', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await logIn(page, vendor(20));
  await page.goto('/?range=last_12_months');
  const sizes = await page.locator('.strip .figure').evaluateAll((cards) =>
    cards.map((card) => ['.value > *', 'h2'].map((part) => parseFloat(getComputedStyle(card.querySelector(part)!).fontSize))),
  );
  for (const [value, label] of sizes) expect(value).toBeGreaterThan(label);
});
