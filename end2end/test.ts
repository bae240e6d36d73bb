import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';

export { expect };

export interface Login {
  email: string;
  password: string;
  who: string;
}

/** The demo's logins, as `vendorscope demo` prints them: `  email  password  (who)`. */
const logins: Login[] = [...(process.env.LOGINS ?? '').matchAll(/^ +(\S+@\S+) +(.+?) {2,}\((.*)\)$/gm)].map(
  ([, email, password, who]) => ({ email, password, who }),
);

export function admin(): Login {
  return find(logins.find((login) => login.who.startsWith('admin')));
}

/** The demo's vendors, in its order. A spec that changes something takes one of its own. */
export function vendor(index: number): Login {
  return find(logins.filter((login) => login.who.startsWith('vendor'))[index]);
}

function find(login: Login | undefined): Login {
  if (!login) throw new Error(`the demo has no such login: ${process.env.LOGINS}`);
  return login;
}

/**
 * Any error or warning in the console, and any uncaught exception, fails the test that caused it. `refuses` is how the path of a call begins that a
 * test means to be refused (422, 401 where the session has ended, 403 where it is another's): Chromium notes every such answer.
 */
export const test = base.extend<{ refuses: string; quietConsole: void }>({
  baseURL: async ({}, use) => use(process.env.BASE_URL),
  refuses: ['', { option: true }],
  quietConsole: [
    async ({ context, refuses }, use) => {
      const meant = (text: string, url: string) => refuses !== '' && /status of (422|401|403)/.test(text) && new URL(url).pathname.startsWith(refuses);
      const said: string[] = [];
      context.on('console', (message) => {
        const [text, { url }] = [message.text(), message.location()];
        if (['error', 'warning', 'assert'].includes(message.type()) && !meant(text, url)) said.push(`${message.type()}: ${text} (${url})`);
      });
      context.on('weberror', (error) => {
        const { stack, name, message } = error.error();
        if (!leavesOutTransition(name, message)) said.push(`exception: ${stack || `${name}: ${message}`}`);
      });
      await use();
      expect(said, 'nothing in the console').toEqual([]);
    },
    { auto: true },
  ],
});

/**
 * Chromium leaves out the transition between two pages (`@view-transition`) where the next one shows itself before the picture of the last is ready, and
 * reports that as a rejection that no page can catch (csswg-drafts issue 13726). It has no stack: no script had a part in it.
 */
function leavesOutTransition(name: string, message: string): boolean {
  return name === 'InvalidStateError' && message === 'Transition was aborted because of invalid state. Page already revealed';
}

/** Cookies of this worker's logins: hashing a password costs what a page costs a hundred times. */
const sessions = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>();

/** Logs in without the form; the cookie is the page's. */
export async function logIn(page: Page, { email, password }: Login): Promise<void> {
  const known = sessions.get(email);
  if (known) return page.context().addCookies(known);
  // Whoever logs in over another's session ends it, and that one is used again by the next test.
  await page.context().clearCookies({ name: /^(__Host-)?vendorscope$/ });
  const response = await page.request.post('/api/auth/login', { data: { email, password } });
  expect(response.status(), `${email} logs in`).toBe(200);
  sessions.set(email, await page.context().cookies());
}

/** Opens an address and waits until its islands are alive, if it has any. */
export async function openHydrated(page: Page, path: string): Promise<void> {
  await page.addInitScript(() => {
    // Islands are started in the microtasks after their module is there; a timer comes after all of them.
    const original = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...parameters: Parameters<typeof original>) => {
      const result = await original(...parameters);
      setTimeout(() => Object.assign(window, { hydrated: true }));
      return result;
    };
  });
  await page.goto(path);
  if (await page.locator('leptos-island').count()) await page.waitForFunction(() => 'hydrated' in window);
}

/** The digits of an amount as a page shows it: its minor units, without the sign. */
export function digits(text: string | null): number {
  return Number((text ?? '').replace(/\D/g, ''));
}

export function isoDay(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}
