import type { APIRequestContext, Page } from '@playwright/test';

import { chooseRange } from '../dashboard';
import { saveAfterTheEnd } from '../session';
import { admin, expect, isoDay, openHydrated, test, vendor, type Login } from '../test';

/** Begins a session of its own, so that the others of this login go on. One that the browser had has ended then. */
async function begin(browser: APIRequestContext, { email, password }: Login): Promise<void> {
  expect((await browser.post('/api/auth/login', { data: { email, password } })).status()).toBe(200);
}

/** Whatever makes an open page look whether it is up to date, without a click. */
async function bringUpToDate(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

/** Opens the form of a note, and types half of it. */
async function typeHalfANote(page: Page): Promise<void> {
  await page.getByText('Add a note…').click();
  await page.locator('#note').fill('Half a thou');
}

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

test.describe('an open page', () => {
  // The stream of a session that has ended.
  test.use({ refuses: '/api/vendor/events' });

  test('of one who has logged out becomes that of whoever has logged in since, with their header', async ({ page }) => {
    await begin(page.request, vendor(14));
    await openHydrated(page, '/');
    await begin(page.request, vendor(13));
    await page.keyboard.press('m');
    await expect(page).toHaveURL(/range=month_to_date/);
    await expect(page.locator('header .who')).toContainText(vendor(13).email);
    const { vendorName } = await (await page.request.get(`/api/vendor/analytics/snapshot?dateFrom=${isoDay(-20)}&dateTo=${isoDay(-3)}`)).json();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(vendorName);

    await page.waitForFunction(() => 'hydrated' in window);
    await begin(page.request, admin());
    await page.keyboard.press('p');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Marketplace');
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Vendors' })).toBeVisible();
    await expect(page.locator('header .who')).toContainText(admin().email);
  });

  test('keeps what is half typed when its session ends and nobody has clicked', async ({ page, request }) => {
    await begin(page.request, vendor(14));
    await openHydrated(page, '/');
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await typeHalfANote(page);
    await page.request.post('/api/auth/logout');
    await begin(request, vendor(14));
    const { products } = await (await request.get('/api/vendor/products')).json();
    const product = await (await request.get(`/api/vendor/products/${products[0].productId}`)).json();
    expect((await request.put(`/api/vendor/products/${product.productId}`, { data: { ...product, name: 'Renamed after the end' } })).status()).toBe(200);

    // The stream ends, is refused when the browser opens it again, and the page looks for the reason.
    const notice = page.getByRole('alert');
    await expect(notice).toContainText('Your session has ended', { timeout: 30_000 });
    await expect(notice.getByRole('button', { name: 'Try again' })).toBeHidden();
    await expect(page.locator('#note')).toHaveValue('Half a thou');
    const opened = page.context().waitForEvent('page');
    await notice.getByRole('link', { name: 'Log in in a new tab' }).click();
    const tab = await opened;
    await tab.getByLabel('Email').fill(vendor(14).email);
    await tab.getByLabel('Password').fill(vendor(14).password);
    await tab.getByRole('button', { name: 'Log in' }).click();
    await expect(tab.getByRole('button', { name: 'Log out' })).toBeVisible();
    await tab.close();

    // It goes on by itself.
    await expect(notice).toBeHidden({ timeout: 30_000 });
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Save note' }).click();
    await expect(page.locator('.notes li').filter({ hasText: 'Half a thou' })).toBeVisible();
  });

  test('keeps what is half typed when somebody else has logged in, and shows nothing of theirs', async ({ page }) => {
    await begin(page.request, vendor(14));
    await openHydrated(page, '/');
    const name = await page.getByRole('heading', { level: 1 }).textContent();
    await typeHalfANote(page);
    await begin(page.request, vendor(13));
    await bringUpToDate(page);
    await expect(page.getByRole('alert')).toContainText('Your session has ended');
    await expect(page.locator('#note')).toHaveValue('Half a thou');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name!);
  });

  test('leads to the login when its session ends and nothing is typed', async ({ page }) => {
    await begin(page.request, vendor(14));
    await openHydrated(page, '/');
    await page.request.post('/api/auth/logout');
    await bringUpToDate(page);
    await expect(page).toHaveURL(/\/login$/);
  });
});

test.describe('an open page of the marketplace', () => {
  test.use({ refuses: '/admin' });
  test('that whoever has logged in since may not see is left', async ({ page }) => {
    await begin(page.request, admin());
    await openHydrated(page, '/admin');
    await begin(page.request, vendor(14));
    await page.keyboard.press('m');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('No access');
    await expect(page.locator('main table')).toHaveCount(0);
  });
});
