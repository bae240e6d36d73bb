import { admin, expect, logIn, test, vendor } from '../test';

test('the cache page shows its counters and invalidates a tag', async ({ page }) => {
  await logIn(page, admin());
  await page.goto('/admin/cache');
  await expect(page.getByRole('heading', { level: 1, name: 'Cache' })).toBeVisible();
  for (const name of ['Hits', 'Misses', 'Hit rate', 'Keys', 'Memory', 'Loads']) {
    await expect(page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) })).toBeVisible();
  }
  await page.getByLabel(/^Tags/).fill('vendor:1, analytics');
  await page.getByRole('button', { name: 'Invalidate…' }).click();
  await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
  await expect(page.getByRole('status')).toHaveText('2 tags were invalidated.');

  await page.getByLabel(/^Tags/).fill('no-such-tag');
  await page.getByRole('button', { name: 'Invalidate…' }).click();
  await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('no-such-tag');
});

test('a vendor is not let in', async ({ page }) => {
  await logIn(page, vendor(0));
  const response = await page.request.get('/admin/cache', { headers: { accept: 'text/html' } });
  expect(response.status()).toBe(403);
  expect(await response.text()).toContain("You don't have access to this page.");
});
