import { expect, type Locator, type Page } from '@playwright/test';

import { digits } from './test';

/** What the marketplace's page shows of one currency. */
function sales(page: Page, currency: string): Locator {
  return page.getByRole('region', { name: `Sales in ${currency}` });
}

/** Chooses a range in the form. */
export async function chooseRange(page: Page, from: string, to: string): Promise<void> {
  await page.getByLabel('From', { exact: true }).fill(from);
  await page.getByLabel('To', { exact: true }).fill(to);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
}

/** The page must show what the JSON API says of the same range, currency by currency. */
export async function expectMarketOf(page: Page, from: string, to: string): Promise<void> {
  const response = await page.request.get(`/api/admin/metrics?dateFrom=${from}&dateTo=${to}`);
  expect(response.status()).toBe(200);
  const { currencies, activeVendors, vendors } = await response.json();
  expect(currencies.length, 'the demo sells in several currencies').toBeGreaterThan(2);
  await expect(page.locator('.lead')).toContainText(`${activeVendors} of ${vendors} vendors sold something`);
  await expect(page.getByRole('region', { name: /^Sales in / })).toHaveCount(currencies.length);
  const lines = page.getByRole('region', { name: 'Sales by currency' }).locator('tbody tr');
  await expect(lines).toHaveCount(currencies.length);
  await expect(lines.first().getByRole('link')).toHaveAttribute('href', `#${currencies[0].currency}`);
  for (const { currency, netSales, orders, activeVendors, series, topVendors } of currencies) {
    const section = sales(page, currency);
    for (const [name, value] of [
      ['Net sales', netSales],
      ['Orders', orders],
      ['Active vendors', activeVendors],
    ]) {
      const figure = section.locator('.figure').filter({ has: page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) }) });
      await expect(async () => expect(digits(await figure.locator('.value').textContent()), `${name} in ${currency}`).toBe(Math.abs(value))).toPass();
    }
    const top = section.getByRole('region', { name: 'Top vendors' }).locator('tbody tr');
    await expect(top).toHaveCount(topVendors.length);
    if (topVendors.length > 0) await expect(top.first()).toContainText(topVendors[0].name);
    // The trend: a picture with a name, and behind one click every point of it.
    const chart = section.locator('figure.chart');
    await expect(chart.getByRole('img', { name: new RegExp(`^Net sales by .*, in ${currency}\\.$`) })).toBeVisible();
    await expect(chart.locator('tbody tr')).toHaveCount(series.length);
    await expect(chart.locator('tbody')).toBeHidden();
  }
  const first = page.locator('figure.chart').first();
  await first.getByText('Show as a table').click();
  await expect(first.locator('tbody')).toBeVisible();
}
