import { saveAfterTheEnd } from '../session';
import { test, vendor } from '../test';

test.use({ refuses: '/_fn/product/save' });

test('a form that is sent after the session has ended keeps what was typed', async ({ page }) => saveAfterTheEnd(page, vendor(13)));
