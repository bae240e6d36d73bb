import { chooseRange, expectMarketOf } from '../market';
import { admin, expect, isoDay, logIn, openHydrated, test } from '../test';

test('a change of range shows the marketplace of other days without loading the page anew', async ({ page }) => {
  await logIn(page, admin());
  await openHydrated(page, `/admin?currencies=all&dateFrom=${isoDay(-27)}&dateTo=${isoDay(0)}`);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const [from, to] = [isoDay(-120), isoDay(-30)];
  await chooseRange(page, from, to);
  await expect(page).toHaveURL(new RegExp(`/admin\\?dateFrom=${from}&dateTo=${to}`));
  await expectMarketOf(page, from, to);
  expect(await page.evaluate(() => 'sameDocument' in window), 'the document is the same').toBe(true);
});
