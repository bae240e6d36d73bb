import { again, fillUnits, refunded, refundTheRest, returnsOn, submit, untouchedOrder } from '../refunds';
import { expect, logIn, test, vendor } from '../test';

test('a part of an order comes back, then the rest, and never more', async ({ page }) => {
  await logIn(page, vendor(4));
  await page.goto('/');
  const before = await returnsOn(page);
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;

  await page.goto(order.path);
  await fillUnits(page, line, 1);
  await submit(page);
  await expect(page.getByRole('status')).toHaveText('The refund was noted.');
  await expect(page.getByRole('region', { name: 'Lines of this order' })).toContainText('(1 unit)');
  const part = await again(page, order);
  expect(refunded(part)).toBeGreaterThan(0);
  await page.goto('/');
  expect(await returnsOn(page), 'the dashboard has it at once').toBe(before + refunded(part));

  // What the page says is left goes out of date in another window.
  await page.goto(order.path);
  const other = await page.context().newPage();
  await other.goto(order.path);
  await refundTheRest(other, part);
  await fillUnits(page, line, 1);
  await submit(page);
  await expect(page.getByRole('alert')).toContainText('Nothing was changed.');
  await expect(page.getByRole('alert')).toContainText('is more than is left');
  await expect(page.getByRole('button', { name: 'Refund', exact: true }), 'there is nothing left to refund').toHaveCount(0);

  expect(refunded(await again(page, order)), 'all of it, and no more').toBe(order.sold);
  await page.goto('/');
  expect(await returnsOn(page)).toBe(before + order.sold);
});

test('an amount on the whole order is shared out over its lines', async ({ page }) => {
  await logIn(page, vendor(8));
  const order = await untouchedOrder(page);
  await page.goto(order.path);
  const amount = page.getByLabel(/^Or an amount on the whole order/);
  const least = (await amount.getAttribute('min'))!;
  await amount.fill(least);
  await submit(page);
  await expect(page.getByRole('status')).toHaveText('The refund was noted.');
  expect(refunded(await again(page, order)), 'one minor unit').toBe(1);

  // Both at once is not one refund.
  await amount.fill(least);
  await fillUnits(page, order.lines[0], 1);
  await submit(page);
  await expect(page.getByRole('alert')).toContainText('Fill in either');
  expect(refunded(await again(page, order))).toBe(1);
});
