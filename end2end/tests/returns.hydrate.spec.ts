import { fillUnits, untouchedOrder } from '../refunds';
import { expect, logIn, openHydrated, test, vendor } from '../test';

test('the button says what a refund comes to while it is typed', async ({ page }) => {
  await logIn(page, vendor(11));
  const order = await untouchedOrder(page);
  const line = order.lines.find((line) => line.quantity > 1)!;
  await openHydrated(page, order.path);
  const button = page.getByRole('button', { name: /^Review refund/ });
  await expect(button).toHaveText('Review refund');
  await fillUnits(page, line, line.quantity);
  await expect(button).toHaveText(/^Review refund of \D*\d/);
  const amount = (await button.textContent())!.replace('Review refund of ', '');
  await fillUnits(page, line, 0);
  await expect(button).toHaveText('Review refund');
  await fillUnits(page, line, line.quantity);
  await button.click();
  await expect(page.getByRole('button', { name: `Refund ${amount}` })).toBeVisible();
});
