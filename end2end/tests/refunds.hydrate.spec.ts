import { again, fillUnits, refunded, refundTheRest, returnsOn, submit, untouchedOrder } from '../refunds';
import { expect, logIn, openHydrated, test, vendor } from '../test';

test.use({ refuses: '/_fn/order/refund' });

test('a refund shows on the order without loading the page anew, and on an open dashboard by itself', async ({ page }) => {
  await logIn(page, vendor(5));
  const dashboard = await page.context().newPage();
  const listening = dashboard.waitForResponse((response) => response.url().endsWith('/api/vendor/events'));
  await openHydrated(dashboard, '/');
  await listening;
  const before = await returnsOn(dashboard);
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;

  await openHydrated(page, order.path);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await fillUnits(page, line, 1);
  await submit(page);
  await expect(page.getByRole('status')).toHaveText('The refund was noted.');
  const lines = page.getByRole('region', { name: 'Lines of this order' });
  await expect(lines).toContainText('(1 unit)');
  await expect(page.locator(`#refund-quantity-${line.line}`), 'the form is empty again').toHaveValue('');
  const part = await again(page, order);
  await expect(async () => expect(await returnsOn(dashboard)).toBe(before + refunded(part))).toPass();

  // What the form says is left goes out of date: the rest comes back through another window.
  const other = await page.context().newPage();
  await openHydrated(other, order.path);
  await refundTheRest(other, part);
  await fillUnits(page, line, 1);
  await submit(page);
  await expect(page.getByRole('alert')).toContainText('is more than is left');
  await expect(page.locator(`#refund-quantity-${line.line}`), 'what was typed stays').toHaveValue('1');
  await expect(async () => expect(await returnsOn(dashboard)).toBe(before + order.sold)).toPass();
  expect(await page.evaluate(() => 'sameDocument' in window), 'the document is the same').toBe(true);
});
