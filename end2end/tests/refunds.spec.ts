import { again, confirm, fillUnits, refunded, refundTheRest, returnsOn, review, untouchedOrder } from '../refunds';
import { expect, logIn, test, vendor } from '../test';

test.use({ refuses: '/orders/' });

test('a part of an order comes back, then the rest, and never more', async ({ page }) => {
  await logIn(page, vendor(4));
  await page.goto('/');
  const before = await returnsOn(page);
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;

  await page.goto(order.path);
  await fillUnits(page, line, 1);
  await review(page);
  // Nothing yet: first it says how much, to whom, and leads back with what was typed.
  expect(refunded(await again(page, order))).toBe(0);
  await page.getByRole('button', { name: 'Go back' }).click();
  await expect(page.locator(`#refund-quantity-${line.line}`)).toHaveValue('1');
  await review(page);
  await confirm(page);
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
  await expect(page.getByRole('region', { name: 'Items in this order' })).toContainText('(1 unit)');
  const part = await again(page, order);
  expect(refunded(part)).toBeGreaterThan(0);
  await page.goto('/');
  expect(await returnsOn(page), 'the dashboard has it at once').toBe(before + refunded(part));

  // What the page says is left goes out of date in another window.
  await page.goto(order.path);
  await fillUnits(page, line, 1);
  await review(page);
  const other = await page.context().newPage();
  await other.goto(order.path);
  await refundTheRest(other, part);
  await confirm(page);
  await expect(page.getByRole('alert')).toContainText('Changes not saved.');
  await expect(page.getByRole('alert')).toContainText('nothing left to return');
  await expect(page.getByRole('button', { name: 'Review refund' }), 'there is nothing left to refund').toHaveCount(0);

  expect(refunded(await again(page, order)), 'all of it, and no more').toBe(order.sold);
  await page.goto('/');
  expect(await returnsOn(page)).toBe(before + order.sold);
});

test('an amount on the whole order is shared out over its lines', async ({ page }) => {
  await logIn(page, vendor(8));
  const order = await untouchedOrder(page);
  await page.goto(order.path);
  const amount = page.getByLabel(/^Or refund a fixed amount/);
  const least = (await amount.getAttribute('min'))!;
  await amount.fill(least);
  await review(page);
  await confirm(page);
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
  expect(refunded(await again(page, order)), 'one minor unit').toBe(1);

  // Both at once is not one refund.
  await amount.fill(least);
  await fillUnits(page, order.lines[0], 1);
  await review(page);
  await expect(page.getByRole('alert')).toContainText('Enter either units to return or a fixed amount, not both.');
  expect(refunded(await again(page, order))).toBe(1);
});

test('Enter in a field leads to the review, and once more refunds nothing', async ({ page }) => {
  await logIn(page, vendor(15));
  const order = await untouchedOrder(page);
  await page.goto(order.path);
  await fillUnits(page, order.lines[0], 1);
  await page.keyboard.press('Enter');
  const refund = page.getByRole('button', { name: /^Refund \D*\d/ });
  await expect(refund).toBeVisible();
  await expect(page.getByRole('heading', { name: /^Refund .* to .*\?$/ })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  expect(refunded(await again(page, order))).toBe(0);
  // By the keyboard, on purpose.
  await refund.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
});

test('of what comes back, each line says whether it can be sold again', async ({ page }) => {
  await logIn(page, vendor(7));
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;
  await page.goto(order.path);
  await fillUnits(page, line, 2);
  await page.locator(`input[name="form[lines][${order.lines.indexOf(line)}][restock]"]`).uncheck();
  await review(page);
  await expect(page.locator('#refund')).toContainText('2 units returned, not restocked.');
  await page.getByRole('button', { name: 'Go back' }).click();
  await expect(page.locator(`input[name="form[lines][${order.lines.indexOf(line)}][restock]"]`)).not.toBeChecked();
});

test('an order is refunded in full by one button and a yes', async ({ page }) => {
  await logIn(page, vendor(9));
  const order = await untouchedOrder(page);
  await page.goto(order.path);
  await page.getByRole('link', { name: /^Refund everything/ }).click();
  await confirm(page);
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
  const after = await again(page, order);
  expect(refunded(after)).toBe(order.sold);
  expect(after.lines.map((line) => line.refundedQuantity)).toEqual(order.lines.map((line) => line.quantity));
});
