import { expect, type Page } from '@playwright/test';

import { digits } from './test';

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
  const expected = currencies.map(({ currency, netSales, orders, activeVendors, series, topVendors }: Record<string, any>) => ({
    currency,
    netSales: Math.abs(netSales),
    orders,
    activeVendors,
    points: series.length,
    top: topVendors.map(({ name }: { name: string }) => name),
  }));
  await expect(async () => expect(await shown(page)).toEqual(expected)).toPass();

  const lines = page.getByRole('region', { name: 'Sales by currency' }).locator('tbody tr');
  await expect(lines).toHaveCount(currencies.length);
  await expect(lines.first().getByRole('link')).toHaveAttribute('href', `#${currencies[0].currency}`);
  // The trend: a picture with a name, and behind one click every point of it.
  const chart = page.getByRole('region', { name: `Sales in ${currencies[0].currency}` }).locator('figure.chart');
  await expect(chart.getByRole('img', { name: new RegExp(`^Net sales by .*, in ${currencies[0].currency}\\.$`) })).toBeVisible();
  await expect(chart.locator('tbody')).toBeHidden();
  await chart.getByText('Show as a table').click();
  await expect(chart.locator('tbody')).toBeVisible();
}

/** What the page shows of each currency, in its order. Read at once: there are many, and each look at such a long page takes its time. */
async function shown(page: Page) {
  const sections = await page.getByRole('region', { name: /^Sales in / }).evaluateAll((sections) =>
    sections.map((section) => ({
      currency: section.querySelector('h2')?.textContent ?? '',
      figures: Object.fromEntries([...section.querySelectorAll('.figure')].map((figure) => [figure.querySelector('dt')?.textContent ?? '', figure.querySelector('.value')?.textContent ?? ''])),
      points: section.querySelectorAll('figure tbody tr').length,
      top: [...section.querySelectorAll('[aria-label^="Top vendors"] tbody th')].map((name) => name.textContent),
    })),
  );
  return sections.map(({ currency, figures, points, top }) => ({
    currency,
    netSales: digits(figures['Net sales']),
    orders: digits(figures['Orders']),
    activeVendors: digits(figures['Active vendors']),
    points,
    top,
  }));
}
