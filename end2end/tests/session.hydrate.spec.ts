import { chooseRange } from '../dashboard';
import { expect, isoDay, openHydrated, test, vendor } from '../test';

test('a session that ends in mid-use leads to the login and back to the very range', async ({ page }) => {
  // A session of its own: the others of this login go on.
  const { email, password } = vendor(14);
  await page.request.post('/api/auth/login', { data: { email, password } });
  await openHydrated(page, '/');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await page.request.post('/api/auth/logout');
  const [from, to] = [isoDay(-20), isoDay(-3)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel(/email/i).fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(new RegExp(`dateFrom=${from}&dateTo=${to}`));
  await expect(page.locator('.figure').first()).toBeVisible();
});

test('a form that is sent after the session has ended is not lost without a word', async ({ page }) => {
  const { email, password } = vendor(14);
  await page.request.post('/api/auth/login', { data: { email, password } });
  const { products } = await (await page.request.get('/api/vendor/products')).json();
  const path = `/products/${encodeURIComponent(products[0].productId)}`;
  await openHydrated(page, path);
  await page.request.post('/api/auth/logout');
  await page.getByLabel('Category').fill('Typed before');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel(/email/i).fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(new RegExp(path));
  const after = await (await page.request.get(`/api/vendor${path}`)).json();
  expect(after.category, 'nothing was saved').toBe(products[0].category);
});
