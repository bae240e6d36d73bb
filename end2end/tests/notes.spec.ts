import { expect, isoDay, logIn, test, vendor } from '../test';

// A vendor of its own: what is written here shows on its dashboard.
test('a note is written, changed and deleted without scripts', async ({ page }) => {
  await logIn(page, vendor(31));
  const range = `dateFrom=${isoDay(-20)}&dateTo=${isoDay(-1)}`;
  await page.goto(`/?${range}`);
  await page.getByText('Add a note…').click();
  await page.locator('#note-day').fill(isoDay(-5));
  await page.locator('#note').fill('Craft fair in Tempe');
  await page.getByRole('button', { name: 'Save note' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Note saved' })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(range));
  const note = page.locator('.notes li').filter({ hasText: 'Craft fair in Tempe' });
  await expect(note).toBeVisible();
  expect(await page.locator('svg.lines').getAttribute('data-marks')).toContain('Craft fair in Tempe');
  await expect(page.locator('circle.noted').first()).toBeVisible();

  await note.getByText('Edit').click();
  await note.getByLabel('Note', { exact: true }).fill('Craft fair in Mesa');
  await note.getByRole('button', { name: 'Save note' }).click();
  const changed = page.locator('.notes li').filter({ hasText: 'Craft fair in Mesa' });
  await expect(changed).toBeVisible();
  await expect(note).toHaveCount(0);

  await changed.getByText('Edit').click();
  await changed.getByRole('button', { name: 'Delete note' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Note deleted' })).toBeVisible();
  await expect(changed).toHaveCount(0);
});
