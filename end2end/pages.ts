import type { Page } from '@playwright/test';

import { untouchedOrder } from './refunds';
import { admin, logIn, vendor, type Login } from './test';

/** Every page, with who it is for. */
export const PAGES: { name: string; login?: () => Login; path: (page: Page) => Promise<string> }[] = [
  { name: 'login', path: async () => '/login' },
  { name: 'one-time code', path: async () => '/login/code' },
  { name: 'dashboard', login: () => vendor(0), path: async () => '/' },
  { name: 'dashboard without sales', login: () => vendor(0), path: async () => '/?dateFrom=2001-01-01&dateTo=2001-01-31' },
  { name: 'products', login: () => vendor(0), path: async () => '/products' },
  { name: 'new product', login: () => vendor(0), path: async () => '/products/new' },
  { name: 'product', login: () => vendor(0), path: (page) => first(page, '/api/vendor/products', 'products', 'productId') },
  { name: 'orders', login: () => vendor(0), path: async () => '/orders' },
  { name: 'order', login: () => vendor(0), path: (page) => first(page, '/api/vendor/orders', 'orders', 'orderId') },
  { name: 'order to refund', login: () => vendor(0), path: async (page) => (await untouchedOrder(page)).path },
  { name: 'returns', login: () => vendor(0), path: async () => '/returns' },
  { name: 'returns of nothing', login: () => vendor(0), path: async () => '/returns?dateFrom=2001-01-01&dateTo=2001-01-31' },
  { name: 'dashboard of a category', login: () => vendor(0), path: async (page) => `/?category=${encodeURIComponent(await firstOf(page, '/api/vendor/products', 'products', 'category'))}` },
  { name: 'account', login: () => vendor(0), path: async () => '/account' },
  { name: 'stop letters', path: async () => '/letters/stop?reader=none' },
  { name: 'lost password', path: async () => '/forgot' },
  { name: 'reset', path: async () => '/reset?token=none' },
  { name: 'account of an admin', login: admin, path: async () => '/account' },
  { name: 'marketplace', login: admin, path: async () => '/admin' },
  { name: 'vendors', login: admin, path: async () => '/admin/vendors' },
  { name: 'vendor', login: admin, path: firstVendor },
  { name: 'dashboard of a vendor', login: admin, path: async (page) => `${await firstVendor(page)}/dashboard` },
  { name: 'users', login: admin, path: async () => '/admin/users' },
  { name: 'user', login: admin, path: firstUser },
  { name: 'keys of all', login: admin, path: async () => '/admin/keys' },
  { name: 'audit log', login: admin, path: async () => '/admin/audit' },
  { name: 'cache', login: admin, path: async () => '/admin/cache' },
  { name: 'cache over a day', login: admin, path: async () => '/admin/cache?range=24h&tags=analytics' },
  { name: 'cache entry', login: admin, path: mostReadEntry },
];

/** Logs in as whoever the page is for, and returns its path. */
export async function arrive(page: Page, { login, path }: (typeof PAGES)[number]): Promise<string> {
  if (login) await logIn(page, login());
  return path(page);
}

async function firstOf(page: Page, api: string, list: string, field: string): Promise<string> {
  return (await (await page.request.get(api)).json())[list][0][field];
}

async function first(page: Page, api: string, list: string, id: string): Promise<string> {
  return `/${list}/${encodeURIComponent(await firstOf(page, api, list, id))}`;
}

/** The page of the first user in the admin's list. */
async function firstUser(page: Page): Promise<string> {
  await page.goto('/admin/users');
  return (await page.locator('main table tbody a').first().getAttribute('href')) ?? '';
}

/** The page of the first vendor in the admin's list. */
async function firstVendor(page: Page): Promise<string> {
  await page.goto('/admin/vendors');
  return (await page.locator('main table tbody a').first().getAttribute('href')) ?? '';
}

/** The page of an entry that is served: somebody looks at a dashboard before. */
async function mostReadEntry(page: Page): Promise<string> {
  await logIn(page, vendor(0));
  await page.request.get('/');
  await logIn(page, admin());
  const stats = await (await page.request.get('/api/admin/cache/stats')).json();
  return `/admin/cache/entry?key=${encodeURIComponent(stats.health.mostRead[0].key)}`;
}
