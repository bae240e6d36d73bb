import { admin, expect, logIn, test, vendor } from '../test';

test('the cache page says whether it is well, and shows its figures', async ({ page }) => {
  await logIn(page, admin());
  await page.goto('/admin/cache');
  await expect(page.getByRole('heading', { level: 1, name: 'Cache' })).toBeVisible();
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await expect(verdict).toContainText(/The cache is well.*Since \d\d:\d\d UTC|Since \d\d:\d\d UTC.*The cache is well/s);
  for (const name of ['Hits', 'Misses', 'Hit rate', 'Keys', 'Memory', 'Loads']) {
    await expect(page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) })).toBeVisible();
  }
  await expect(page.getByRole('row', { name: /^Lookups / })).toBeVisible();
  await expect(page.getByRole('row', { name: /Answers this page/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /Started, release/ }).first()).toBeVisible();
  for (const range of ['24 hours', '7 days', '1 hour']) {
    await page.getByRole('link', { name: range, exact: true }).click();
    await expect(page.getByRole('link', { name: range, exact: true })).toHaveAttribute('aria-current', 'true');
    await expect(page.getByRole('img', { name: `Hit rate over the last ${range}.` })).toBeVisible();
  }
  await page.getByText('Show as a table').click();
  await expect(page.getByRole('columnheader', { name: 'Bypassed' })).toBeVisible();
});

// Each is refused once, on purpose.
test.describe(() => {
  test.use({ refuses: '/admin/cache' });

  test('what an action costs is said before it is done', async ({ page }) => {
    await logIn(page, vendor(0));
    await page.goto('/');
    await logIn(page, admin());
    await page.goto('/admin/cache');
    await page.getByRole('textbox', { name: /^Tags/ }).fill('vendor:demo-alpine, analytics');
    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await expect(page.locator('#asked')).toContainText(/\d+ entr(y|ies) of .*(is|are) loaded again by whoever asks next: about .* of the database's time/);
    await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
    await expect(page.getByRole('status').filter({ hasText: '2 tags were invalidated.' })).toBeVisible();
    await expect(page.getByRole('row', { name: /analytics .*asked for by an admin/ }).first()).toBeVisible();

    await page.getByRole('textbox', { name: /^Tags/ }).fill('no-such-tag');
    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await expect(page.getByRole('alert')).toContainText('no-such-tag');
    await expect(page.locator('#asked')).toHaveCount(0);

    await page.getByLabel(/^Vendors/).fill('');
    await page.getByRole('button', { name: 'Load…' }).click();
    await page.getByRole('button', { name: 'Load', exact: true }).click();
    await expect(page.getByRole('status').filter({ hasText: /entr(y was|ies were) loaded/ })).toBeVisible();
  });

  test('one entry says why it is served, and nothing of what is in it', async ({ page }) => {
    await logIn(page, vendor(1));
    await page.goto('/');
    await logIn(page, admin());
    await page.goto('/admin/cache');
    await page.getByRole('link', { name: /^analytics:/ }).first().click();
    await expect(page.getByRole('heading', { level: 1, name: 'Cache entry' })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Whether it is served' })).toContainText(/It is served|It is not served/);
    await expect(page.getByRole('row', { name: /^vendor:/ })).toBeVisible();
    await expect(page.getByText(/grossSales|topProducts/)).toHaveCount(0);

    await page.getByLabel('Key').fill('sess:abc');
    await page.getByRole('button', { name: 'Look' }).click();
    await expect(page.getByRole('alert')).toContainText('sess:abc');
  });
});

test('a vendor is not let in', async ({ page }) => {
  await logIn(page, vendor(0));
  const response = await page.request.get('/admin/cache', { headers: { accept: 'text/html' } });
  expect(response.status()).toBe(403);
  expect(await response.text()).toContain("You don't have access to this page.");
});
