import { expect, type Page } from '@playwright/test';

import { digits } from './test';

/** Chooses a range in the form. */
export async function chooseRange(page: Page, from: string, to: string): Promise<void> {
  await page.getByLabel('From', { exact: true }).fill(from);
  await page.getByLabel('To', { exact: true }).fill(to);
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
}

/** The page must show what the JSON API says of the same range, currency by currency. */
export async function expectMarketOf(page: Page, from: string, to: string): Promise<void> {
  const response = await page.request.get(`/api/admin/metrics?dateFrom=${from}&dateTo=${to}`);
  expect(response.status()).toBe(200);
  const { currencies, activeVendors, vendors } = await response.json();
  expect(currencies.length, 'the demo sells in several currencies').toBeGreaterThan(2);
  await expect(page.locator('.lead')).toContainText(`${activeVendors} of ${vendors} vendors had sales`);
  const expected = currencies.map(({ currency, netSales, orders, activeVendors }: Record<string, any>) => [currency, Math.abs(netSales), orders, activeVendors]);
  const lines = page.getByRole('region', { name: 'Sales by currency' }).locator('tbody tr');
  const shown = () =>
    lines.evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  await expect(async () => {
    const rows = (await shown()).map(([code, net, , , orders, , , , active]) => [code, digits(net), digits(orders), digits(active)]);
    expect(rows).toEqual(expected);
  }).toPass();

  // One of them is open: its trend, a picture with a name, and behind one click every point of it; its vendors lead to
  // their dashboards.
  const { currency, series, topVendors } = currencies[1];
  await lines.nth(1).getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`currency=${currency}`));
  const part = page.getByRole('region', { name: `Sales in ${currency}` });
  const chart = part.locator('figure.chart');
  await expect(chart.getByRole('img', { name: new RegExp(`^Net sales by .*, in ${currency}\\.$`) })).toBeVisible();
  await expect(chart.locator('tbody')).toBeHidden();
  await chart.getByText('Show as a table').click();
  await expect(chart.locator('tbody tr')).toHaveCount(series.length);
  const names = part.getByRole('region', { name: /^Top vendors/ }).locator('tbody th');
  await expect(names).toHaveText(topVendors.map(({ name }: { name: string }) => name));
}
