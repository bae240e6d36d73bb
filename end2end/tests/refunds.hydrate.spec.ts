import { again, confirm, fillUnits, refunded, refundTheRest, returnsOn, review, untouchedOrder } from '../refunds';
import { expect, logIn, openHydrated, test, vendor } from '../test';

test('a refund shows on an open dashboard by itself', async ({ page }) => {
  await logIn(page, vendor(5));
  const dashboard = await page.context().newPage();
  await openHydrated(dashboard, '/');
  await expect(dashboard.getByText('Live', { exact: true })).toBeVisible();
  const before = await returnsOn(dashboard);
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;

  await page.goto(order.path);
  await fillUnits(page, line, 1);
  await review(page);
  await confirm(page);
  await expect(page.getByRole('region', { name: 'Items in this order' })).toContainText('(1 unit)');
  const part = await again(page, order);
  // A tab that is not looked at is brought up to date when it is.
  await dashboard.bringToFront();
  await expect(async () => expect(await returnsOn(dashboard)).toBe(before + refunded(part))).toPass();

  await page.bringToFront();
  await page.goto(order.path);
  await refundTheRest(page, part);
  await dashboard.bringToFront();
  await expect(async () => expect(await returnsOn(dashboard)).toBe(before + order.sold)).toPass();
});
