import { expect, logIn, openHydrated, test, vendor } from '../test';

test('the zone form works with scripts too, and every page follows it', async ({ page }) => {
  await logIn(page, vendor(7));
  await openHydrated(page, '/account');
  await page.getByLabel('New time zone').fill('australia/lord_howe');
  await page.getByRole('button', { name: 'Change time zone' }).click();
  await expect(page.getByRole('status')).toContainText('Time zone changed.');
  await page.getByRole('link', { name: 'Orders' }).click();
  await expect(page.getByText('times in Australia/Lord_Howe')).toBeVisible();
});
