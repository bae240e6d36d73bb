import { admin, expect, logIn, openHydrated, test } from '../test';

test('the cache page invalidates a tag', async ({ page }) => {
  await logIn(page, admin());
  await openHydrated(page, '/admin/cache');
  await page.getByRole('textbox', { name: /^Tags/ }).fill('analytics');
  await page.getByRole('button', { name: 'Invalidate…' }).click();
  await expect(page.locator('#asked')).toContainText('Invalidate analytics?');
  await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: '1 tag was invalidated.' })).toBeVisible();
});

test('the cache page follows what happens by itself, and leaves what is being typed alone', async ({ page }) => {
  await page.clock.install();
  await logIn(page, admin());
  await openHydrated(page, '/admin/cache');
  await expect(page.locator('.stream')).toHaveText('Live');
  await page.getByRole('textbox', { name: /^Tags/ }).fill('vendor:4');
  const tag = 'products:demo-wool';
  expect((await page.request.post('/api/admin/cache/invalidate', { data: { tags: [tag] } })).status()).toBe(200);
  await page.clock.runFor(11_000);
  await expect(page.getByRole('row', { name: new RegExp(`${tag} .*asked for by an admin`) })).toBeVisible();
  await expect(page.getByRole('textbox', { name: /^Tags/ })).toHaveValue('vendor:4');
});

test('the cache page says of what it asks for by itself that nobody did, and of a click nothing', async ({ page }) => {
  await page.clock.install();
  await logIn(page, admin());
  await openHydrated(page, '/admin/cache');
  const asked = () => page.waitForRequest((request) => request.resourceType() === 'fetch' && request.url().includes('/admin/cache'));
  const byItself = asked();
  await page.clock.runFor(11_000);
  expect((await byItself).headers()).toMatchObject({ 'x-unattended': '1' });
  const byClick = asked();
  await page.locator('main a[data-noscroll]').last().click();
  expect((await byClick).headers()).not.toHaveProperty('x-unattended');
});

test('everything on the cache page is reached by the keyboard, and a chart is read point by point', async ({ page }) => {
  await logIn(page, admin());
  await openHydrated(page, '/admin/cache');
  const reached = new Set<string>();
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => {
      const focused = document.activeElement;
      return focused?.getAttribute('aria-label') ?? focused?.id ?? '';
    }));
    reached.add(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''));
  }
  for (const name of ['24 hours', 'Instances', 'Where lookups end', 'tags', 'vendors', 'key', 'Invalidate…', 'Load…', 'Look', 'Reset…']) {
    expect([...reached], name).toContain(name);
  }
  const chart = page.getByRole('slider').first();
  await chart.focus();
  await page.keyboard.press('End');
  await expect(chart).toHaveAttribute('aria-valuetext', /UTC: Hit rate/);
});
