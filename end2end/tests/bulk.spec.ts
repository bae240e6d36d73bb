import { digits, expect, logIn, test, vendor } from '../test';

test('many products get a stock at once, after a look at what is touched', async ({ page }) => {
  await logIn(page, vendor(12));
  await page.goto('/products');
  const boxes = page.getByRole('checkbox', { name: /^Select / });
  const names = await page.locator('main table tbody th').allTextContents();
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  const many = page.getByRole('group', { name: 'With the selected rows' });
  // Counted by the style sheet, as it must be without scripts.
  expect(await many.evaluate((many) => getComputedStyle(many, '::before').content)).toContain('counter(picked)');
  const tints = await page.locator('main table tbody tr').evaluateAll((rows) => rows.slice(0, 3).map((row) => getComputedStyle(row).backgroundColor));
  expect(tints[0], 'a picked row is marked').toBe(tints[2]);
  expect(tints[0]).not.toBe(tints[1]);
  await page.getByLabel('With the selected products').selectOption('Set stock to');
  await page.getByLabel('Stock, percent or category').fill('77');
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Set the stock of 2 products to 77?');
  await expect(page.locator('main table tbody th')).toHaveText([names[0], names[2]]);
  await page.getByRole('button', { name: 'Change 2 products' }).click();
  await expect(page.locator('.notice.good')).toHaveText('2 products changed.');
  const { products } = await (await page.request.get('/api/vendor/products')).json();
  expect(products[0].stock).toBe(77);
  expect(products[1].stock).not.toBe(77);
  expect(products[2].stock).toBe(77);

  // What is no stock is told, and nothing changes.
  await boxes.nth(1).check();
  await page.getByLabel('Stock, percent or category').fill('many');
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.getByRole('alert')).toContainText('Enter a whole number');
  await page.goto('/products');
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.getByRole('alert')).toContainText('Select at least one row first.');
});

test('many orders are cancelled at once, and those that cannot be stay', async ({ page }) => {
  await logIn(page, vendor(13));
  const id = async (status: string) => (await (await page.request.get(`/api/vendor/orders?status=${status}`)).json()).orders[0].orderId as string;
  const [open, done] = [await id('pending'), await id('delivered')];
  await page.goto(`/orders/change?pick[0]=${open}&pick[1]=${done}&status=cancelled`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^Cancel 1 order of \D*\d/);
  await expect(page.getByText("1 order can't change and stays as it is.")).toBeVisible();
  await page.getByRole('button', { name: 'Cancel 1 order' }).click();
  await expect(page.locator('.notice.good')).toHaveText('1 order changed.');
  expect((await (await page.request.get(`/api/vendor/orders/${open}`)).json()).status).toBe('cancelled');
  expect((await (await page.request.get(`/api/vendor/orders/${done}`)).json()).status).toBe('delivered');
});

test('where nothing is picked, orders say so', async ({ page }) => {
  await logIn(page, vendor(13));
  await page.goto('/orders?status=delivered');
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.getByRole('alert')).toContainText('Select at least one row first.');
  await expect(page.getByRole('table')).toHaveCount(0);
  await page.getByRole('link', { name: 'Back to orders' }).click();
  await expect(page).toHaveURL(/\/orders\?status=delivered$/);
});

test('a row leads back to its list as it was, after a change too', async ({ page }) => {
  await logIn(page, vendor(13));
  for (const { list, name, change } of [
    { list: '/orders?status=processing', name: 'Orders', change: 'Update status' },
    { list: '/products?status=active&sort=stock', name: 'Products', change: 'Save changes' },
  ]) {
    await page.goto(list);
    await page.locator('main table tbody th a').first().click();
    await page.getByRole('button', { name: change }).click();
    await expect(page.locator('.notice.good')).toBeVisible();
    await page.locator('.crumb').getByRole('link', { name }).click();
    await expect(page).toHaveURL(new RegExp(`${list.replace('?', '\\?')}$`));
  }
});

test('prices go up by percent, each shown before and after', async ({ page }) => {
  await logIn(page, vendor(6));
  await page.goto('/products');
  const { products } = await (await page.request.get('/api/vendor/products')).json();
  await page.getByRole('checkbox', { name: /^Select / }).nth(0).check();
  await page.getByLabel('With the selected products').selectOption('Change price by %');
  await page.getByLabel('Stock, percent or category').fill('+10 %');
  await page.getByRole('button', { name: 'Review…' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Raise the prices of 1 product by 10.00%?');
  const [, now, after] = await page.locator('main table tbody tr').first().locator('th, td').allTextContents();
  expect(digits(now)).toBe(products[0].unitPrice);
  expect(digits(after)).toBe(Math.floor((products[0].unitPrice * 11 + 5) / 10));
  await page.getByRole('button', { name: 'Change 1 product' }).click();
  await expect(page.locator('.notice.good')).toHaveText('1 product changed.');
  const changed = await (await page.request.get(`/api/vendor/products/${products[0].productId}`)).json();
  expect(changed.unitPrice).toBe(digits(after));
});
