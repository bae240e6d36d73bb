import { arrive, PAGES } from '../pages';
import { expect, test } from '../test';

/**
 * What is smaller than a finger takes (24 × 24 px: WCAG 2.2, 2.5.8). Links within a sentence are as high as its lines,
 * and left out, as they are there.
 */
function small(): string[] {
  const found: string[] = [];
  const BLOCK = 'p, li, dd, dt, h1, h2, h3, summary, th, td, figcaption, div, section, header, main';
  for (const target of document.querySelectorAll<HTMLElement>('a[href], button, summary, select, textarea, input:not([type=hidden])')) {
    if (!target.checkVisibility() || target.matches('.skip')) continue;
    const block = target.parentElement?.closest(BLOCK);
    const own = [...(block?.childNodes ?? [])].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join(' ');
    const isInSentence = target.matches('a') && !block?.matches('th, td') && /\p{L}{2,}/u.test(own);
    // The label of a check box is clicked as well as the box; the name of a figure by its whole card.
    const areas = [target.matches('.pick') ? target.closest('.figure')! : target, ...((target as HTMLInputElement).labels ?? [])];
    const boxes = areas.map((one) => one.getBoundingClientRect());
    const [width, height] = [Math.max(...boxes.map((box) => box.width)), Math.max(...boxes.map((box) => box.height))];
    if (!isInSentence && (width < 23.9 || height < 23.9)) {
      found.push(`${target.outerHTML.replace(/\s+/g, ' ').slice(0, 90)} ${width.toFixed(1)} × ${height.toFixed(1)}`);
    }
  }
  return found;
}

for (const entry of PAGES) {
  test(`everything to click is large enough for a finger: ${entry.name}`, async ({ page }) => {
    await page.goto(await arrive(page, entry));
    for (const width of [360, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(small), `${width} px`).toEqual([]);
    }
  });
}
