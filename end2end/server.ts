import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

const project = resolve(__dirname, '..');
const program = process.env.VENDORSCOPE_BIN ?? join(project, 'target/release/vendorscope');

/** Fills a database with the demo marketplace, serves it on a free port, and returns how to end that. */
export default async function serve(): Promise<() => Promise<void>> {
  if (!existsSync(program)) throw new Error(`${program} is not there: scripts/build makes it`);
  const folder = mkdtempSync(join(tmpdir(), 'vendorscope-end2end-'));
  const address = `127.0.0.1:${await freePort()}`;
  const provider = spawn(process.execPath, [join(__dirname, 'provider.mjs'), `http://${address}/login/marketplace/callback`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [issuer] = await once(createInterface(provider.stdout), 'line');
  process.env.PROVIDER = issuer;
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    DATABASE_URL: `sqlite://${join(folder, 'demo.db')}`,
    LEPTOS_SITE_ADDR: address,
    LEPTOS_HASH_FILES: 'true',
    PUBLIC_URL: `http://${address}`,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'vendorscope',
    OIDC_CLIENT_SECRET: 'a secret of the provider',
    ...(process.env.LEPTOS_SITE_ROOT ? { LEPTOS_SITE_ROOT: process.env.LEPTOS_SITE_ROOT } : {}),
    RUST_LOG: process.env.RUST_LOG ?? 'error',
  };
  process.env.LOGINS = execFileSync(program, ['demo'], { cwd: project, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  process.env.BASE_URL = `http://${address}`;

  const server = spawn(program, ['serve'], { cwd: project, env, stdio: 'inherit' });
  const ended = once(server, 'exit');
  const end = async () => {
    server.kill('SIGTERM');
    await ended;
    provider.kill();
    rmSync(folder, { recursive: true });
  };
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await setTimeout(50)) {
    if (server.exitCode !== null) throw new Error(`the server stopped with exit code ${server.exitCode}`);
    const healthy = await fetch(`http://${address}/healthz`).then((response) => response.ok, () => false);
    if (healthy) return end;
  }
  await end();
  throw new Error('the server did not answer /healthz within 30 s');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
