import AxeBuilder from '@axe-core/playwright';

import { arrive, PAGES } from '../pages';
import { expect, openHydrated, test } from '../test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// What colours are judged by. The other rules find the same in any.
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

for (const entry of PAGES) {
  test(`axe finds nothing on: ${entry.name}`, async ({ page }) => {
    await openHydrated(page, await arrive(page, entry));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page });
      const { violations } = await (colorScheme === 'light' ? axe.withTags(TAGS) : axe.withRules(OF_COLOURS)).analyze();
      const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
      expect(found, colorScheme).toEqual([]);
    }
    // A paragraph within another ends it, and leaves an empty one behind.
    await expect(page.locator('p:empty:not([id]):not([id] > p)')).toHaveCount(0);
  });
}
