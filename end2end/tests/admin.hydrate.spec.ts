import { admin, expect, logIn, openHydrated, test } from '../test';

test('the cache page invalidates a tag', async ({ page }) => {
  await logIn(page, admin());
  await openHydrated(page, '/admin/cache');
  await page.getByLabel(/^Tags/).fill('analytics');
  await page.getByRole('button', { name: 'Invalidate…' }).click();
  await expect(page.getByText('This concerns every vendor')).toBeVisible();
  await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
  await expect(page.getByRole('status')).toHaveText('1 tag was invalidated.');
});
