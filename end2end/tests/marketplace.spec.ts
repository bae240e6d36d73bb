import { chooseRange, expectMarketOf } from '../market';
import { admin, expect, isoDay, logIn, test } from '../test';

test.beforeEach(({ page }) => logIn(page, admin()));

test('the marketplace shows what the API says, and again after a change of range', async ({ page }) => {
  await page.goto('/admin?currencies=all');
  await expectMarketOf(page, isoDay(-27), isoDay(0));

  const [from, to] = [isoDay(-120), isoDay(-30)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(new RegExp(`/admin\\?dateFrom=${from}&dateTo=${to}`));
  await expectMarketOf(page, from, to);
});

test('an impossible range is refused in words, and the form stays', async ({ page }) => {
  const response = await page.request.get('/admin?dateFrom=2025-03-02&dateTo=2025-03-01', { headers: { accept: 'text/html' } });
  expect(response.status()).toBe(422);
  const body = await response.text();
  expect(body).toContain('2025-03-02');
  expect(body).toContain('name="dateFrom"');
});
