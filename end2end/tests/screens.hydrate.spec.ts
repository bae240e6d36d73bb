import { join } from 'node:path';

import { arrive, PAGES } from '../pages';
import { expect, openHydrated, test } from '../test';

// To be looked at, in test-results/screens. What can be judged without eyes: nothing is wider than the screen.
for (const width of [360, 768, 1440]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });
    for (const entry of PAGES) {
      test(entry.name, async ({ page }, { project }) => {
        await openHydrated(page, await arrive(page, entry));
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const path = join(project.outputDir, 'screens', `${entry.name.replaceAll(' ', '-')}-${width}-${colorScheme}.png`);
          // On a busy machine Chromium says now and then that it cannot, and can a moment later.
          await expect(() => page.screenshot({ path, fullPage: true })).toPass({ timeout: 30_000 });
          expect(await page.evaluate(() => document.documentElement.scrollWidth), colorScheme).toBeLessThanOrEqual(width);
        }
      });
    }
  });
}
