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

test('vendors are sorted by their headings, both ways, and one of them has its figures and the way to its dashboard', async ({ page }) => {
  await page.goto('/admin/vendors');
  const names = () => page.locator('main tbody th').allTextContents();
  const heading = page.getByRole('columnheader', { name: /^Last order/ });
  await heading.getByRole('link').click();
  await expect(heading).toHaveAttribute('aria-sort', 'ascending');
  const longestAgo = await names();
  await heading.getByRole('link').click();
  await expect(heading).toHaveAttribute('aria-sort', 'descending');
  expect(await names()).not.toEqual(longestAgo);
  await expect(page.getByLabel('Sort by')).toHaveValue('last_order_desc');

  await page.goto('/admin?range=last_month');
  // From whom stands out to its dashboard of the same days, and on to its page.
  await page.getByRole('region', { name: /^Top vendors/ }).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/dashboard\?dateFrom=\d{4}-\d\d-01&dateTo=/);
  const netSales = await page.locator('.figure .value').first().innerText();
  const days = new URL(page.url()).search;
  await page.locator('.crumb a').last().click();
  await page.goto(new URL(page.url()).pathname + days);
  await expect(page.locator('.figure .value').first()).toHaveText(netSales);
  await page.getByRole('link', { name: 'View dashboard' }).click();
  await expect(page).toHaveURL(new RegExp(`/dashboard\\${days}$`));
});
