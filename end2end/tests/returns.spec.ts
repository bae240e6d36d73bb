import { panel } from '../dashboard';
import { confirm, fillUnits, review, untouchedOrder } from '../refunds';
import { digits, expect, isoDay, logIn, test, vendor } from '../test';

test('from the returns of the dashboard to the order behind them, with the range kept', async ({ page }) => {
  await logIn(page, vendor(0));
  const [from, to] = [isoDay(-60), isoDay(-1)];
  await page.goto(`/?dateFrom=${from}&dateTo=${to}`);
  const returns = panel(page, 'Returns').locator('.value a');
  const amount = digits(await returns.textContent());
  expect(amount, 'something came back').toBeGreaterThan(0);
  await returns.click();
  await expect(page).toHaveURL(new RegExp(`/returns\\?dateFrom=${from}&dateTo=${to}`));
  expect(digits(await panel(page, 'Returns').locator('.value').textContent())).toBe(amount);

  // By reason the amounts come to the card, and a reason narrows the list.
  const reasons = page.getByRole('region', { name: 'Returns by reason' }).locator('tbody tr');
  const amounts = await reasons.locator('td:nth-child(3)').allTextContents();
  expect(amounts.map(digits).reduce((sum, one) => sum + one, 0)).toBe(amount);
  const reason = reasons.first().getByRole('link');
  const name = (await reason.textContent())!;
  await reason.click();
  await expect(page).toHaveURL(/reason=/);
  const list = page.getByRole('region', { name: 'Refunds', exact: true }).locator('tbody tr');
  for (const row of await list.locator('td:nth-child(4)').allTextContents()) expect(row).toBe(name);
  await list.first().getByRole('link').first().click();
  await expect(page).toHaveURL(/\/orders\//);
  await expect(page.getByRole('region', { name: 'Refunds' })).toContainText(name);
});

test('a refund has a reason and can be undone', async ({ page }) => {
  await logIn(page, vendor(9));
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;
  await page.goto(order.path);
  await fillUnits(page, line, 1);
  await page.getByLabel('Reason').selectOption('Damaged or faulty');
  await review(page);
  await expect(page.locator('#refund')).toContainText('Reason: Damaged or faulty.');
  await confirm(page);
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
  await expect(page.getByRole('region', { name: 'Refunds' })).toContainText('Damaged or faulty');
  await page.goto('/orders?refunded=true');
  await expect(page.locator('main table')).toContainText('Refunded');
  await page.goBack();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('status')).toHaveText('Refund undone.');
  await expect(page.getByRole('region', { name: 'Refunds' })).toHaveCount(0);
});

test('a product has its own course, and a category narrows the dashboard until its chip is taken away', async ({ page }) => {
  await logIn(page, vendor(0));
  const [from, to] = [isoDay(-60), isoDay(-1)];
  await page.goto(`/?dateFrom=${from}&dateTo=${to}`);
  const whole = digits(await panel(page, 'Net sales').locator('.value').textContent());
  await panel(page, 'Top categories').locator('tbody a').first().click();
  await expect(page).toHaveURL(/category=/);
  const part = digits(await panel(page, 'Net sales').locator('.value').textContent());
  expect(part).toBeLessThan(whole);
  await page.getByRole('link', { name: /^Remove filter: Category/ }).click();
  expect(digits(await panel(page, 'Net sales').locator('.value').textContent())).toBe(whole);

  const best = panel(page, 'Top products').locator('tbody tr').first();
  const sales = digits(await best.locator('td').nth(1).textContent());
  await best.getByRole('link').first().click();
  await expect(page).toHaveURL(new RegExp(`/products/.*dateFrom=${from}&dateTo=${to}`));
  expect(digits(await panel(page, 'Net sales').locator('.value').textContent())).toBe(sales);
  await page.getByText('Show as a table').click();
  await expect(page.locator('figure tbody tr')).toHaveCount(60);
});

test('a new price is noted where its effect will be seen', async ({ page }) => {
  await logIn(page, vendor(10));
  await page.goto('/products');
  await page.locator('main table tbody a').first().click();
  const price = page.getByLabel(/^Price/);
  const was = Number(await price.inputValue());
  await price.fill(String(was * 2));
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.goto('/');
  await expect(page.getByRole('region', { name: 'What happened' })).toContainText('price changed from');
});
