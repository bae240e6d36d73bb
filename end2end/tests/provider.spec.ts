import { expect, test, vendor } from '../test';

test('a vendor logs in through the marketplace, to the page that was asked for', async ({ page, request }) => {
  const { email } = vendor(3);
  const accounts = { known: { email, email_verified: true }, stranger: { email: 'nobody@example.com', email_verified: true } };
  await request.put(`${process.env.PROVIDER}/test`, { data: { accounts } });

  await page.goto('/orders');
  await page.getByRole('link', { name: 'Log in with the marketplace' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('alert')).toHaveText("You weren't logged in: the marketplace's login was cancelled.");

  await page.getByRole('link', { name: 'Log in with the marketplace' }).click();
  await page.getByLabel('Account').fill('known');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Orders' })).toBeVisible();
  await expect(page.getByRole('banner')).toContainText(email);
  expect(page.url()).not.toContain('code=');
});
