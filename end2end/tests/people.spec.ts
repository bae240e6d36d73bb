import { createHmac } from 'node:crypto';

import { admin, expect, logIn, test } from '../test';

/** What an authenticator app shows for a base32 secret, `steps` of 30 s from now (RFC 6238). */
function code(secret: string, steps: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = digest[digest.length - 1]! & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('someone is invited, chooses a password, looks and changes nothing, and logs in with codes from then on', async ({ page, browser }) => {
  const login = admin();
  await logIn(page, login);
  await page.goto('/admin/vendors');
  const vendor = decodeURIComponent((await page.locator('main table tbody a').first().getAttribute('href'))!.split('/').pop()!);
  await page.goto('/admin/users');
  const email = `accountant-${Date.now()}@example.com`;
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Role').selectOption('accountant');
  await page.getByLabel('Vendor id').fill(vendor);
  await page.getByLabel('Your password').fill(login.password);
  await page.getByRole('button', { name: 'Invite' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(email);
  const link = new URL((await page.locator('code.secret').textContent())!);

  const own = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await own.goto(new URL(link.pathname + link.search, page.url()).href);
  expect(own.url()).toBe(new URL('/reset', page.url()).href);
  const password = 'a horse of many batteries';
  await own.getByLabel('New password').fill(password);
  await own.getByRole('button', { name: 'Change password' }).click();
  await own.getByLabel('Email').fill(email);
  await own.getByLabel('Password').fill(password);
  await own.getByRole('button', { name: 'Log in' }).click();
  await own.goto(new URL('/products', page.url()).href);
  await expect(own.getByRole('link', { name: 'New product' })).toHaveCount(0);
  await own.locator('main table tbody a').first().click();
  await expect(own.getByRole('button', { name: 'Delete product' })).toHaveCount(0);

  await own.goto(new URL('/account', page.url()).href);
  const card = own.locator('#two-step');
  await card.getByLabel('Your password').fill(password);
  await card.getByRole('button', { name: 'Set up' }).click();
  await expect(card.getByRole('img', { name: 'QR code' })).toBeVisible();
  const secret = (await card.locator('code.secret').textContent())!;
  await card.getByRole('textbox', { name: 'Code' }).fill(code(secret, -1));
  await card.getByRole('button', { name: 'Turn on' }).click();
  await expect(own.getByText('10 recovery codes left')).toBeVisible();
  await expect(card.locator('ul code')).toHaveCount(10);

  await own.getByRole('button', { name: 'Log out', exact: true }).first().click();
  await own.getByLabel('Email').fill(email);
  await own.getByLabel('Password').fill(password);
  await own.getByRole('button', { name: 'Log in' }).click();
  await own.getByLabel('Code').fill(code(secret, 0));
  await own.getByRole('button', { name: 'Log in' }).click();
  await expect(own.getByRole('navigation', { name: 'Main' })).toBeVisible();
});
