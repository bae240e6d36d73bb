import { expect, type Locator, type Page } from '@playwright/test';

import { digits } from './test';

/** A card or panel of the dashboard, by its heading. */
export function panel(page: Page, name: string): Locator {
  return page.locator('.card').filter({ has: page.getByRole('heading', { name, exact: true }) });
}

/** Chooses a range in the picker's form. */
export async function chooseRange(page: Page, from: string, to: string): Promise<void> {
  await page.locator('.picker summary').click();
  await page.getByLabel('From', { exact: true }).fill(from);
  await page.getByLabel('To', { exact: true }).fill(to);
  await page.getByRole('button', { name: 'Apply' }).click();
}

/** The page must show what the JSON API says of the same range. */
export async function expectFiguresOf(page: Page, from: string, to: string): Promise<void> {
  const response = await page.request.get(`/api/vendor/analytics/snapshot?dateFrom=${from}&dateTo=${to}`);
  expect(response.status()).toBe(200);
  const snapshot = await response.json();
  const { totals, topProducts, vendorName } = snapshot;
  expect(totals.orders, 'the demo sells something in this range').toBeGreaterThan(0);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(vendorName);
  for (const [name, value] of [
    ['Net sales', totals.netSales],
    ['Orders', totals.orders],
    ['Average order value', totals.averageOrderValue],
    ['Units', totals.units],
    ['Customers', totals.customers],
    ['Returns', totals.returns],
  ]) {
    await expect(async () => expect(digits(await panel(page, name).locator('.value').textContent()), name).toBe(Math.abs(value))).toPass();
  }
  await expect(panel(page, 'Top products').locator('tbody tr')).toHaveCount(topProducts.length);
  await expect(panel(page, 'Top products').locator('tbody a').first()).toHaveText(topProducts[0].name);
}
