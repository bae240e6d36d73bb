import { panel } from '../dashboard';
import { expect, logIn, openHydrated, test, vendor } from '../test';

test('a changed product shows on the dashboard at once', async ({ page }) => {
  await logIn(page, vendor(2));
  await openHydrated(page, '/');
  await panel(page, 'Top products').locator('tbody a').first().click();
  await page.getByLabel('Name').fill('Renamed with scripts');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Renamed with scripts');

  await page.getByRole('link', { name: 'Dashboard' }).click();
  await expect(panel(page, 'Top products').locator('tbody a').first()).toHaveText('Renamed with scripts');
});
