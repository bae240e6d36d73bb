import type { Page } from '@playwright/test';

import { expect, isoDay, logIn, openHydrated, test, vendor } from '../test';

/** Notes an order over the API, and returns its id. */
async function order(page: Page): Promise<string> {
  const { products } = await (await page.request.get('/api/vendor/products?status=active&sort=stock')).json();
  const productId = products.at(-1).productId;
  const answer = await page.request.post('/api/vendor/orders', {
    data: { customer: { name: 'Ada Live', country: 'Norway' }, lines: [{ productId, quantity: 1 }] },
  });
  expect(answer.status()).toBe(201);
  return (await answer.json()).orderId;
}

test('a new order comes in above the others, and what was picked stays picked', async ({ page }) => {
  await logIn(page, vendor(14));
  await openHydrated(page, '/orders');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const rows = page.locator('main table tbody tr');
  const second = (await rows.nth(1).getByRole('link').textContent())!;
  await rows.nth(1).getByRole('checkbox').check();
  const id = await order(page);
  await expect(rows.first().getByRole('link')).toHaveText(id);
  await expect(page.getByRole('checkbox', { name: `Select ${second}` })).toBeChecked();
  await expect(page.getByRole('checkbox', { checked: true })).toHaveCount(1);
  await expect(page.locator('#announce')).toHaveText(new RegExp(`^[0-9,]+ orders\\. Newest order: ${id}$`));
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.locator('main table tbody th')).toHaveText([second]);
});

test('the keyboard alone walks through a list, picks, opens and searches', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/products');
  const rows = page.locator('main table tbody tr');
  await page.keyboard.press('j');
  await expect(rows.nth(0).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await expect(rows.nth(1).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('x');
  await expect(rows.nth(1).getByRole('checkbox')).toBeChecked();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toContainText('Select the row');
  await page.keyboard.press('Escape');

  // Searched as it is typed; j is a letter there.
  const name = (await rows.nth(1).getByRole('link').first().textContent())!;
  await page.keyboard.press('/');
  await expect(page.getByLabel('Search by name')).toBeFocused();
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await page.keyboard.type(name);
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/search=/);
  await expect(page.getByLabel('Search by name')).toHaveValue(name);
  await expect(page.getByLabel('Search by name')).toBeFocused();
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
  await page.locator('body').click({ position: { x: 1, y: 1 } });
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
});

test('the key / of the dashboard goes into the search of products', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  await page.keyboard.press('/');
  await expect(page).toHaveURL(/\/products#search$/);
  await expect(page.getByLabel('Search by name')).toBeFocused();
  await expect(page.getByRole('link', { name: 'Products', exact: true })).toHaveAttribute('aria-current', 'page');
  await page.keyboard.type('mug');
  await expect(page).toHaveURL(/search=mug/);
});

test('what is typed before the page listens is looked for once it does', async ({ page }) => {
  await logIn(page, vendor(0));
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => (await held, await route.continue()));
  await page.goto('/products', { waitUntil: 'domcontentloaded' });
  await page.getByLabel('Search by name').fill('mug');
  await expect(page).toHaveURL(/\/products$/);
  release();
  await expect(page).toHaveURL(/search=mug/);
});

test('changes that are not saved are asked about, and the last save is no longer announced', async ({ page }) => {
  await logIn(page, vendor(11));
  await page.goto('/products');
  await page.locator('main table tbody th a').first().click();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  const asked: string[] = [];
  page.on('dialog', (dialog) => (asked.push(dialog.type()), dialog.dismiss()));
  await page.getByLabel('Name', { exact: true }).fill('Half a name');
  await expect(page.getByText('Saved.')).toHaveCount(0);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Orders' }).click({ noWaitAfter: true });
  await expect.poll(() => asked).toEqual(['beforeunload']);
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Half a name');
  // Saving asks nothing.
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  expect(asked.length).toBe(1);
});

test('all rows of a page are picked at once, and let go', async ({ page }) => {
  await logIn(page, vendor(12));
  await openHydrated(page, '/orders');
  const boxes = page.getByRole('checkbox', { name: /^Select / });
  const all = page.getByRole('button', { name: 'Select all' });
  await boxes.first().check();
  await all.click();
  await expect(page.locator('[data-rows] :checked')).toHaveCount(await boxes.count());
  await all.click();
  await expect(page.locator('[data-rows] :checked')).toHaveCount(0);
});

test('who listens to a list is told how many there are, and of a new order only where the newest stand first', async ({ page }) => {
  await logIn(page, vendor(14));
  await openHydrated(page, '/orders');
  const said = page.locator('#announce');
  await page.getByLabel('Sort by').selectOption({ label: 'Customer A–Z' });
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(said).toHaveText(/^[0-9,]+ orders$/);
  await page.getByRole('searchbox', { name: 'Search' }).fill('nobody of this name');
  await expect(said).toHaveText('No matching orders');
});

test('after going back, the filters in the form are those of the list', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, '/orders');
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const [from, filter] = [page.getByLabel('From', { exact: true }), page.getByRole('button', { name: 'Filter' })];
  const [first, second] = [isoDay(-30), isoDay(-10)];
  for (const day of [first, second]) {
    await from.fill(day);
    await filter.click();
    await expect(page).toHaveURL(new RegExp(`dateFrom=${day}`));
  }
  // Chosen, and not asked for.
  await page.getByLabel('Status').selectOption('Shipped');
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`dateFrom=${first}`));
  await expect(from).toHaveValue(first);
  await expect(from).toHaveAccessibleDescription(/^\d+ \w+ \d{4}$/);
  await expect(page.getByLabel('Status')).toHaveValue('');
  await page.goForward();
  await expect(from).toHaveValue(second);
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);

  await openHydrated(page, '/products');
  const search = page.getByLabel('Search by name');
  await search.fill('mug');
  await expect(page).toHaveURL(/search=mug/);
  await page.getByLabel('Status').selectOption('Active');
  await filter.click();
  await expect(page).toHaveURL(/status=active/);
  await search.fill('bowl');
  await expect(page).toHaveURL(/search=bowl/);
  await page.goBack();
  await expect(page).toHaveURL(/search=mug(?!.*status)/);
  await expect(search).toHaveValue('mug');
});

test('a filter that was not asked for is gone after going away and back', async ({ page }) => {
  await logIn(page, vendor(0));
  await page.goto('/orders');
  await page.getByLabel('From', { exact: true }).fill(isoDay(-30));
  await page.getByLabel('Status').selectOption('Shipped');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Products' }).click();
  await expect(page).toHaveURL(/\/products/);
  await page.goBack();
  await expect(page).toHaveURL(/\/orders$/);
  await expect(page.getByLabel('From', { exact: true })).toHaveValue('');
  await expect(page.getByLabel('Status')).toHaveValue('');
});
