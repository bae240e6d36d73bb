import { admin, expect, test, vendor } from '../test';

test('a vendor logs in and sees the dashboard, and logs out again', async ({ page }) => {
  const { email, password } = vendor(0);
  await page.goto('/');
  await expect(page).toHaveURL(/\/login/);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('heading', { name: 'Net sales', exact: true })).toBeVisible();
  await expect(page.getByRole('banner')).toContainText(email);

  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto('/');
  await expect(page).toHaveURL(/\/login/);
});

test('after logging out the way back leads to the login, and shows nothing of before', async ({ page }) => {
  const { email, password } = vendor(0);
  await page.request.post('/api/auth/login', { data: { email, password } });
  await page.goto('/orders');
  await expect(page.getByRole('heading', { level: 1, name: 'Orders' })).toBeVisible();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByRole('heading', { name: 'Log in to Vendorscope' })).toBeVisible();
});

test('after logging in the page that was asked for opens', async ({ page }) => {
  const { email, password } = vendor(0);
  await page.goto('/products');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Products' })).toBeVisible();
});

test('an admin lands on the admin pages', async ({ page }) => {
  const { email, password } = admin();
  await page.goto('/login');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(/\/admin/);
});

test('a wrong password and an unknown address get the same answer', async ({ page }) => {
  const answers = [];
  for (const email of [vendor(0).email, 'nobody@example.com']) {
    await page.goto('/login');
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill('not the right password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page).toHaveURL(/\/login\?/);
    await expect(page).toHaveTitle(/^Wrong email or password/);
    await expect(page.getByLabel('Email')).toHaveValue(email);
    await expect(page.getByLabel('Password')).toBeFocused();
    await expect(page.getByLabel('Password')).toHaveAccessibleDescription('Wrong email or password.');
    answers.push(await page.getByRole('alert').filter({ hasText: /./ }).textContent());
  }
  expect(answers[0]).toContain('Wrong email or password.');
  expect(answers[1]).toBe(answers[0]);
});
