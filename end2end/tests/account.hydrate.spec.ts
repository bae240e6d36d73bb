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

test('a new key is copied by a button', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const login = vendor(8);
  await logIn(page, login);
  await page.goto('/account');
  await page.getByLabel('Name of a new key').fill('To be copied');
  await page.getByLabel('Your password').last().fill(login.password);
  await page.getByRole('button', { name: 'Create key' }).click();
  const secret = await page.locator('code.secret').textContent();
  await page.getByRole('button', { name: 'Copy' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
});
