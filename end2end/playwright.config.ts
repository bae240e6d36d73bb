import { existsSync } from 'node:fs';

import { defineConfig } from '@playwright/test';

const WINDOWLESS = '/usr/bin/chromium-headless-shell';

// Every spec runs with scripts off, except `*.hydrate.spec.ts`: whatever works without them is tested without them.
export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  globalSetup: './server.ts',
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: true,
  workers: 2,
  // Pages are slow to start on a machine that builds beside them; nothing here measures time.
  timeout: 60_000,
  reporter: [['list']],
  use: {
    locale: 'en-GB',
    timezoneId: 'UTC',
    // Recording each test takes a seventh of the time: `npx playwright test NAME --trace on` does.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      // The distribution's browser: none is downloaded.
      executablePath: process.env.CHROMIUM ?? (existsSync(WINDOWLESS) ? WINDOWLESS : '/usr/bin/chromium'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'without scripts', testMatch: /\.spec\.ts$/, testIgnore: /\.hydrate\.spec\.ts$/, use: { javaScriptEnabled: false } },
    { name: 'with scripts', testMatch: /\.hydrate\.spec\.ts$/ },
  ],
});
