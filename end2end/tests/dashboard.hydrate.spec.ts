import { chooseRange, expectFiguresOf, panel } from '../dashboard';
import { expect, isoDay, logIn, openHydrated, test, vendor } from '../test';

test('a change of range shows other figures without loading the page anew', async ({ page }) => {
  await logIn(page, vendor(0));
  await openHydrated(page, `/?dateFrom=${isoDay(-60)}&dateTo=${isoDay(-1)}`);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const [from, to] = [isoDay(-20), isoDay(-3)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(new RegExp(`dateFrom=${from}&dateTo=${to}`));
  await expectFiguresOf(page, from, to);
  expect(await page.evaluate(() => 'sameDocument' in window), 'the document is the same').toBe(true);
});

test('nothing moves while the page loads and comes alive', async ({ page }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push((entry as unknown as { value: number }).value))).observe({
      type: 'layout-shift',
      buffered: true,
    });
  });
  await logIn(page, vendor(0));
  await openHydrated(page, '/');
  // A frame for the observer to be told.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)).toEqual([]);
});

test('an open dashboard shows what was changed elsewhere', async ({ page }) => {
  await logIn(page, vendor(3));
  const listening = page.waitForResponse((response) => response.url().endsWith('/api/vendor/events'));
  await openHydrated(page, '/');
  await listening;
  const link = panel(page, 'Top products').locator('tbody a').first();
  const id = (await link.getAttribute('href'))!.split('/').pop()!;
  // Another window of the same vendor: the same cookies, and nothing of this page.
  const path = `/api/vendor/products/${id}`;
  const product = await (await page.request.get(path)).json();
  const answer = await page.request.put(path, { data: { ...product, name: 'Renamed elsewhere' } });
  expect(answer.status()).toBe(200);
  await expect(link).toHaveText('Renamed elsewhere');
});
