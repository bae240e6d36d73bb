import { panel } from '../dashboard';
import { admin, expect, logIn, test, vendor } from '../test';

test('a key is shown once, listed, and revoked', async ({ page }) => {
  const login = vendor(2);
  await logIn(page, login);
  await page.goto('/account');
  await page.getByLabel('Name of a new key').fill('Shop backend');
  await page.getByLabel('Your password').last().fill(login.password);
  await page.getByRole('button', { name: 'Create key' }).click();
  const secret = (await page.locator('code.secret').textContent()) ?? '';
  expect(secret).toMatch(/^vsk_[0-9a-f]{64}$/);
  const me = await page.request.get('/api/auth/me', { headers: { authorization: `Bearer ${secret}` } });
  expect(me.status()).toBe(200);

  await page.reload();
  await expect(page.locator('code.secret')).toHaveCount(0);
  const row = page.getByRole('row').filter({ hasText: 'Shop backend' });
  await row.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('status')).toHaveText('Key revoked.');
  await expect(row).toHaveCount(0);
});

test('a theme stays from page to page', async ({ page }) => {
  await logIn(page, vendor(2));
  await page.goto('/account');
  await page.getByLabel('On this device').selectOption('light');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.getByLabel('On this device').selectOption('dark');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('status')).toHaveText('Theme changed.');
  await page.goto('/products');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(15, 20, 20)');
});

test('a wrong present password changes nothing and is told', async ({ page }) => {
  await logIn(page, vendor(2));
  await page.goto('/account');
  await page.getByLabel('Current password').fill('not the password');
  await page.getByLabel('New password').fill('another horse with a better battery');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('alert')).toContainText('Current password is incorrect.');
});

test('an admin looks at a vendor, its users and its dashboard', async ({ page }) => {
  await logIn(page, admin());
  await page.goto('/admin/vendors');
  await page.locator('main table tbody a').first().click();
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible();
  await page.getByRole('link', { name: 'View dashboard' }).click();
  await expect(page.getByRole('heading', { name: 'Net sales', exact: true })).toBeVisible();
  await page.locator('.picker summary').first().click();
  await page.getByRole('link', { name: 'Last 90 days' }).first().click();
  await expect(page).toHaveURL(/\/admin\/vendors\/.+\/dashboard\?range=last_90_days/);
});

test('a vendor changes the time zone of its days, and finds its figures there', async ({ page }) => {
  await logIn(page, vendor(6));
  await page.goto('/account');
  const zone = page.getByLabel('New time zone');
  await expect(page.locator(`#${await zone.getAttribute('list')} option[value="Pacific/Kiritimati"]`)).toHaveCount(1);
  await zone.fill('Asia/Atlantis');
  await page.getByRole('button', { name: 'Change time zone' }).click();
  await expect(page.getByRole('alert')).toContainText("We don't know a time zone called Asia/Atlantis.");

  const range = 'dateFrom=2021-01-01&dateTo=2030-12-31';
  const totals = async () => (await (await page.request.get(`/api/vendor/analytics/snapshot?${range}`)).json()).totals;
  const before = await totals();
  await zone.fill('Pacific/Kiritimati');
  await page.getByRole('button', { name: 'Change time zone' }).click();
  await expect(page.getByRole('status')).toContainText('Time zone changed.');
  await expect(page.getByText('Your reports use Pacific/Kiritimati.')).toBeVisible();
  expect(await totals(), 'nothing is lost on the way').toEqual(before);
  await page.goto('/');
  await expect(page.getByText('Times in Pacific/Kiritimati')).toBeVisible();
  await expect(panel(page, 'Net sales')).toBeVisible();
});

test('an admin has no time zone to change, and is told so', async ({ page }) => {
  await logIn(page, admin());
  await page.goto('/account');
  await expect(page.getByText('Admin pages use UTC.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Change time zone' })).toHaveCount(0);
});
