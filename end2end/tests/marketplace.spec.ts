import { chooseRange, expectMarketOf } from '../market';
import { admin, expect, isoDay, logIn, test } from '../test';

test.beforeEach(({ page }) => logIn(page, admin()));

test('the marketplace shows what the API says, and again after a change of range', async ({ page }) => {
  await page.goto('/admin');
  await expectMarketOf(page, isoDay(-27), isoDay(0));

  const [from, to] = [isoDay(-120), isoDay(-30)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(`/admin?dateFrom=${from}&dateTo=${to}`);
  await expectMarketOf(page, from, to);
});

test('an impossible range is refused in words, and the form stays', async ({ page }) => {
  await page.goto('/admin');
  await chooseRange(page, isoDay(-1), isoDay(-5));
  await expect(page.getByText(/lies before|before dateFrom/)).toBeVisible();
  await expect(page.getByLabel('From', { exact: true })).toHaveValue(isoDay(-1));
});
