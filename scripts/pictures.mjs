// Makes the pictures of the README anew, of a demo that is served at BASE_URL (scripts/serve serves one):
//
//   BASE_URL=http://127.0.0.1:3000 node scripts/pictures.mjs
//
// Where ImageMagick is there, each is reduced to 256 colours.
import { execFileSync } from 'node:child_process';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright';

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs');
const base = process.env.BASE_URL ?? 'http://127.0.0.1:3000';
const password = 'vendorscope-demo';

const PICTURES = [
  { file: 'dashboard.png', email: 'loom@demo.example', path: '/', width: 1280, height: 800 },
  { file: 'marketplace.png', email: 'admin@demo.example', path: '/admin', width: 1280, height: 800 },
  { file: 'phone.png', email: 'loom@demo.example', path: '/', width: 360, height: 800, colorScheme: 'dark' },
];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const { file, email, path, width, height, colorScheme = 'light' } of PICTURES) {
  const context = await browser.newContext({ baseURL: base, viewport: { width, height }, colorScheme, locale: 'en-GB', timezoneId: 'UTC' });
  const page = await context.newPage();
  const login = await page.request.post('/api/auth/login', { data: { email, password } });
  if (!login.ok()) throw new Error(`${email} cannot log in: ${login.status()}`);
  await page.goto(path);
  // Islands are alive.
  await page.locator('[data-keys]:not([hidden])').or(page.locator('[role=slider]')).first().waitFor({ state: 'attached' });
  const target = join(docs, file);
  await page.screenshot({ path: target });
  try {
    execFileSync('convert', [target, '-strip', '-dither', 'None', '-colors', '256', `PNG8:${target}`], { stdio: 'ignore' });
  } catch {
    console.log(`${file}: as Chromium made it, for there is no ImageMagick`);
  }
  await context.close();
}
await browser.close();
