import type { Page } from '@playwright/test';

import { expect, type Login } from './test';

/** Types into a product's form, saves it after the session has ended, logs in in a new tab, and saves it again. */
export async function saveAfterTheEnd(page: Page, { email, password }: Login): Promise<void> {
  // A session of its own: the others of this login go on.
  await page.request.post('/api/auth/login', { data: { email, password } });
  const { products } = await (await page.request.get('/api/vendor/products')).json();
  const path = `/products/${encodeURIComponent(products[0].productId)}`;
  await page.goto(path);
  await page.request.post('/api/auth/logout');
  await page.getByLabel('Category').fill('Typed before');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('heading', { name: 'Your session has ended' })).toBeVisible();

  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Log in in a new tab' }).click();
  const tab = await opened;
  await tab.getByLabel('Email').fill(email);
  await tab.getByLabel('Password').fill(password);
  await tab.getByRole('button', { name: 'Log in' }).click();
  await expect(tab.getByRole('button', { name: 'Log out' })).toBeVisible();
  await tab.close();

  await page.getByRole('button', { name: 'Save again' }).click();
  await expect(page).toHaveURL(new RegExp(`${path}\\?saved=1`));
  await expect(page.getByLabel('Category')).toHaveValue('Typed before');
}
