import { chooseRange } from '../dashboard';
import { saveAfterTheEnd } from '../session';
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

test.describe('a form', () => {
  test.use({ refuses: '/_fn/product/save' });
  test('that is sent after the session has ended keeps what was typed', async ({ page }) => saveAfterTheEnd(page, vendor(14)));
});
