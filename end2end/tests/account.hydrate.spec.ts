import { expect, logIn, openHydrated, test, vendor } from '../test';

test('the zone form works with scripts too, and every page follows it', async ({ page }) => {
  await logIn(page, vendor(7));
  await openHydrated(page, '/account');
  await page.getByLabel('Another time zone').fill('australia/lord_howe');
  await page.getByRole('button', { name: 'Change the time zone' }).click();
  await expect(page.getByRole('status')).toContainText('The time zone was changed');
  await page.getByRole('link', { name: 'Orders' }).click();
  await expect(page.getByText('Times are those of Australia/Lord_Howe.')).toBeVisible();
});
