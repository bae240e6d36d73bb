import type { Page } from '@playwright/test';

import { expect, logIn, test, vendor } from '../test';

/** The amounts or counts of a column, by its heading. */
async function numbers(page: Page, heading: string): Promise<number[]> {
  const headings = await page.locator('main thead :is(th, td)').allTextContents();
  const at = headings.findIndex((text) => text.replace(/ [↑↓]$/, '') === heading);
  const texts = await page.locator(`main tbody tr > :nth-child(${at + 1})`).allTextContents();
  return texts.map((text) => Number(text.replace(/[^\d.−]/g, '').replace('−', '-')));
}

const isSorted = (values: number[], factor: 1 | -1) =>
  values.every((value, at) => at === 0 || factor * (value - values[at - 1]) >= 0);

test('headings sort both ways by the keyboard, and keep the filters, without scripts', async ({ page }) => {
  await logIn(page, vendor(0));
  for (const [path, heading, filter] of [
    ['/products?status=active', 'Price', 'status=active'],
    ['/products?stock=low', 'Sales at risk', 'stock=low'],
    ['/orders?status=shipped', 'Payable', 'status=shipped'],
  ]) {
    await page.goto(path);
    const sorts: string[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const header = page.locator('main thead th').filter({ hasText: new RegExp(`^${heading}( [↑↓])?$`) });
      await header.getByRole('link').focus();
      await page.keyboard.press('Enter');
      await expect(page, path).toHaveURL(new RegExp(`${filter}.*sort=`));
      sorts.push((await header.getAttribute('aria-sort'))!);
      const values = await numbers(page, heading);
      expect(values.length, path).toBeGreaterThan(1);
      expect(isSorted(values, sorts[turn] === 'ascending' ? 1 : -1), `${path} ${sorts[turn]}: ${values}`).toBe(true);
      await expect(page.locator('main thead [aria-sort]')).toHaveCount(1);
    }
    expect(sorts.sort(), path).toEqual(['ascending', 'descending']);
  }
});

test('how long a product lasts is said of every one, and sorts them', async ({ page }) => {
  await logIn(page, vendor(0));
  await page.goto('/products?sort=cover_desc');
  const at = (await page.locator('main thead th').allTextContents()).findIndex((text) => text.startsWith('Lasts'));
  const cells = await page.locator(`main tbody tr > :nth-child(${at + 1})`).allTextContents();
  const told = cells.map((text) => text.replace('Lasts ', ''));
  expect(told.every((text) => /^([\d.,]+ days|not selling|Sold out)$/.test(text)), `${told}`).toBe(true);
  const days = told.filter((text) => text.endsWith('days')).map((text) => Number(text.replace(/[^\d.]/g, '')));
  expect(isSorted(days, -1), `${days}`).toBe(true);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 800 } });

  test('what headings sort by is chosen from a list, where there are no headings', async ({ page }) => {
    await logIn(page, vendor(0));
    await page.goto('/products');
    await expect(page.locator('main thead')).toBeHidden();
    await page.getByLabel('Sort by').selectOption('Highest price');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page.getByLabel('Sort by')).toHaveValue('price_desc');
    const prices = (await page.locator('main tbody .chief').allTextContents()).map((text) => Number(text.replace(/[^\d.]/g, '')));
    expect(isSorted(prices, -1), `${prices}`).toBe(true);
  });
});
