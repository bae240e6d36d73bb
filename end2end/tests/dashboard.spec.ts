import { chooseRange, expectFiguresOf, panel } from '../dashboard';
import { digits, expect, isoDay, logIn, test, vendor } from '../test';

test.beforeEach(({ page }) => logIn(page, vendor(0)));

test('the dashboard shows what the API says, and again after a change of range', async ({ page }) => {
  const [from, to] = [isoDay(-60), isoDay(-1)];
  await page.goto(`/?dateFrom=${from}&dateTo=${to}`);
  await expectFiguresOf(page, from, to);

  const [laterFrom, laterTo] = [isoDay(-20), isoDay(-3)];
  await chooseRange(page, laterFrom, laterTo);
  await expect(page).toHaveURL(new RegExp(`dateFrom=${laterFrom}&dateTo=${laterTo}`));
  await expectFiguresOf(page, laterFrom, laterTo);
});

test('a range by its name is a link, and the one before an arrow', async ({ page }) => {
  await page.goto('/');
  await page.locator('.picker summary').click();
  await page.getByRole('link', { name: 'Last 7 days' }).click();
  await expect(page).toHaveURL(/range=last_7_days/);
  const chosen = page.url();
  await page.getByRole('link', { name: 'Previous period' }).click();
  await expect(page).not.toHaveURL(chosen);
});

test('all time begins with the first sale and is compared with nothing', async ({ page }) => {
  await page.goto('/');
  await page.locator('.picker summary').click();
  await page.getByRole('link', { name: 'All time' }).click();
  await expect(page).toHaveURL(/range=all$/);
  await expect(page.locator('.picker summary')).toHaveText('All time');
  await expect(page.locator('.head .lead')).not.toContainText('compared');
  const all = digits(await panel(page, 'Orders').locator('.value').textContent());
  await page.goto('/?range=last_12_months');
  expect(digits(await panel(page, 'Orders').locator('.value').textContent())).toBeLessThan(all);
});

test('every value of the chart stands in a table too', async ({ page }) => {
  const [from, to] = [isoDay(-14), isoDay(-1)];
  await page.goto(`/?dateFrom=${from}&dateTo=${to}`);
  const chart = panel(page, 'Net sales over time');
  await chart.getByText('Show as a table').click();
  await expect(chart.locator('tbody tr')).toHaveCount(14);
});

test('an impossible range is refused in words, and the form stays', async ({ page }) => {
  const response = await page.request.get('/?dateFrom=2025-02-30&dateTo=2025-03-01');
  expect(response.status()).toBeGreaterThanOrEqual(400);
  expect(response.status()).toBeLessThan(500);
  const body = await response.text();
  expect(body).toContain('2025-02-30');
  expect(body).toContain('name="dateFrom"');
});
