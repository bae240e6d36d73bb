import { panel } from '../dashboard';
import { expect, logIn, test, vendor } from '../test';

test('a changed product shows on the dashboard at once', async ({ page }) => {
  await logIn(page, vendor(1));
  await page.goto('/');
  await panel(page, 'Top products').locator('tbody a').first().click();
  await page.getByLabel('Name').fill('Renamed <b>without</b> scripts');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.locator('.notice.good')).toHaveText('Saved.');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Renamed <b>without</b> scripts');

  await page.getByRole('link', { name: 'Dashboard' }).click();
  await expect(panel(page, 'Top products').locator('tbody a').first()).toHaveText('Renamed <b>without</b> scripts');
});

test('a refused product says which field and why, and changes nothing', async ({ page }) => {
  await logIn(page, vendor(1));
  await page.goto('/products');
  await page.locator('main table tbody a').first().click();
  const before = await page.getByRole('heading', { level: 1 }).textContent();
  // What the browser's own checks let through, and the server does not.
  await page.getByLabel('Name').fill('   ');
  await page.getByLabel('Category').fill('Typed before');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('alert')).toContainText('Enter a name');
  await expect(page.getByLabel('Name'), 'the focus is where something is to be done').toBeFocused();
  await expect(page.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Category'), 'what was typed stays').toHaveValue('Typed before');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(before ?? '');
});

test('a product is made, found and deleted', async ({ page }) => {
  await logIn(page, vendor(1));
  await page.goto('/products/new');
  await page.getByLabel('Name').fill('Made in a test');
  await page.getByLabel('Category').fill('Tests');
  await page.getByLabel(/^Price/).fill('12');
  await page.getByLabel('Stock', { exact: true }).fill('3');
  await page.getByRole('button', { name: 'Create product' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Made in a test');

  await page.goto('/products?search=made+in');
  await page.getByRole('link', { name: 'Made in a test' }).click();
  await page.getByText('Delete this product').click();
  await page.getByRole('button', { name: 'Delete product' }).click();
  await expect(page.locator('.notice.good')).toHaveText('Product deleted.');
  await page.goto('/products?search=made+in');
  await expect(page.getByRole('heading', { name: 'No matching products' })).toBeVisible();
});
