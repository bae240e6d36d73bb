import { join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';

import { arrive, PAGES } from '../pages';
import { expect, openHydrated, test } from '../test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// What colours are judged by. The other rules find the same in any.
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

// A page opens on a phone, and its window grows. Its pictures are to be looked at, in test-results/screens; what can be judged without eyes: nothing is
// wider than the screen, and axe finds nothing.
for (const entry of PAGES) {
  test(`every screen: ${entry.name}`, async ({ page }, { project }) => {
    await page.setViewportSize({ width: 360, height: 900 });
    await openHydrated(page, await arrive(page, entry));
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const path = join(project.outputDir, 'screens', `${entry.name.replaceAll(' ', '-')}-${width}-${colorScheme}.png`);
        // On a busy machine Chromium says now and then that it cannot, and can a moment later.
        await expect(() => page.screenshot({ path, fullPage: true })).toPass({ timeout: 30_000 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px, ${colorScheme}`).toBeLessThanOrEqual(width);
      }
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Frames of other sites, of which there are none, are what its usual mode opens a page of its own for.
      const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
      const { violations } = await (colorScheme === 'light' ? axe.withTags(TAGS) : axe.withRules(OF_COLOURS)).analyze();
      const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
      expect(found, colorScheme).toEqual([]);
    }
    // A paragraph within another ends it, and leaves an empty one behind.
    await expect(page.locator('p:empty:not([id]):not([id] > p)')).toHaveCount(0);
  });
}
