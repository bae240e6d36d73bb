// Makes what browsers load out of the compiled browser half, the style sheet and public/: the last part of
// scripts/build, which runs it.
//
// usage: node scripts/assets.mjs MODULE.wasm BINDGEN HASH_FILE
//   MODULE.wasm  the browser half as the compiler left it
//   BINDGEN      the program of crates/bindgen
//   HASH_FILE    where Leptos looks for the hashes in the files' names: hash.txt beside the server
//
// Settings are those of cargo-leptos in Cargo.toml. The site folder is replaced as a whole, so that nothing of an
// earlier build stays in it. Nothing is made twice: the module is optimised anew when it or a tool has changed, the
// folder replaced when its content would.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

import { build } from 'esbuild';

// The oldest browsers that know light-dark(), which the style sheet is written with: spring 2024.
const BROWSERS = ['chrome123', 'firefox120', 'safari17.5'];
// The extensions of WebAssembly that Rust compiles for by default: older than these browsers.
const FEATURES = ['bulk-memory', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int', 'reference-types', 'sign-ext'];

const [moduleFile, bindgen, hashFile] = process.argv.slice(2);
if (!hashFile) throw new Error('usage: node scripts/assets.mjs MODULE.wasm BINDGEN HASH_FILE');
const self = fileURLToPath(import.meta.url);
const project = join(dirname(self), '..');
process.chdir(project);
const { settings, targetFolder } = projectSettings();
// What is remembered from one run to the next.
const memory = join(targetFolder, 'browser-half');

const { script, module } = browserHalf();
const named = { js: await minified(script), wasm: module, css: await minified(settings['style-file']) };
const hashes = mapValues(named, (content) => digest(content).slice(0, 22));
const files = new Map([
  ...Object.entries(named).map(([extension, content]) => {
    return [`${settings['site-pkg-dir']}/${settings['output-name']}.${hashes[extension]}.${extension}`, content];
  }),
  ...folder(settings['assets-dir']),
]);
await replaceSite(files);
writeIfChanged(hashFile, Object.entries(hashes).map(([extension, hash]) => `${extension}: ${hash}\n`).join(''));

/** What cargo-leptos is told in Cargo.toml, and where cargo builds. */
function projectSettings() {
  const options = ['--no-deps', '--format-version', '1'];
  const metadata = JSON.parse(execFileSync('cargo', ['metadata', ...options], { encoding: 'utf8', maxBuffer: 1 << 28 }));
  const settings = metadata.metadata?.leptos?.[0];
  if (!settings) throw new Error('Cargo.toml has no metadata for cargo-leptos');
  return { settings, targetFolder: metadata.target_directory };
}

/** The JavaScript and the optimised module that wasm-bindgen makes of the compiled one. */
function browserHalf() {
  const script = join(memory, 'browser.js');
  const module = join(memory, 'browser.wasm');
  const madeFrom = join(memory, 'made-from.txt');
  const key = digest([moduleFile, bindgen, self, 'package-lock.json'].map((file) => digest(readFileSync(file))).join());
  if (!existsSync(madeFrom) || readFileSync(madeFrom, 'utf8') !== key) {
    rmSync(memory, { recursive: true, force: true });
    execFileSync(bindgen, [moduleFile, 'browser', memory], { stdio: 'inherit' });
    const options = ['-Oz', ...FEATURES.map((feature) => `--enable-${feature}`), join(memory, 'browser_bg.wasm'), '-o', module];
    execFileSync(process.execPath, ['node_modules/binaryen/bin/wasm-opt', ...options], { stdio: 'inherit' });
    writeFileSync(madeFrom, key);
  }
  return { script, module: readFileSync(module) };
}

/** A script or style sheet with what it imports, in as few letters as these browsers understand. */
async function minified(file) {
  const result = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: file.endsWith('.js') ? 'esm' : undefined,
    target: BROWSERS,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Writes these files and, where it is smaller, each compressed as far as it goes: the server sends what the browser can read. */
async function replaceSite(files) {
  const site = settings['site-root'];
  const key = digestOfAll(files) + digest(readFileSync(self));
  const madeFrom = join(memory, 'site.json');
  const known = existsSync(madeFrom) ? JSON.parse(readFileSync(madeFrom, 'utf8')) : {};
  // The folder itself is looked at: `cargo leptos watch` writes to it too.
  if (known.key === key && known.content === digestOfAll(folder(site))) return;
  const compressed = [...files].flatMap(([path, content]) => [
    smaller(`${path}.br`, content, brotliCompress, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    smaller(`${path}.gz`, content, gzip, { level: 9 }),
  ]);
  const all = new Map([...files, ...(await Promise.all(compressed)).flat()]);
  const [next, last] = [`${site}.next`, `${site}.last`];
  for (const leftover of [next, last]) rmSync(leftover, { recursive: true, force: true });
  for (const [path, content] of all) {
    mkdirSync(dirname(join(next, path)), { recursive: true });
    writeFileSync(join(next, path), content);
  }
  if (existsSync(site)) renameSync(site, last);
  renameSync(next, site);
  rmSync(last, { recursive: true, force: true });
  writeFileSync(madeFrom, JSON.stringify({ key, content: digestOfAll(all) }));
  for (const [path, content] of files) {
    const brotli = all.get(`${path}.br`);
    if (hashes[path.split('.').at(-1)] && brotli) console.log(`${path}: ${kilobytes(content)}, with brotli ${kilobytes(brotli)}`);
  }
}

async function smaller(path, content, compress, options) {
  const result = await promisify(compress)(content, options);
  return result.length < content.length ? [[path, result]] : [];
}

/** Every file below a folder with its content, by its path there. */
function folder(top) {
  if (!existsSync(top)) return new Map();
  const entries = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return new Map(paths.map((path) => [relative(top, path), readFileSync(path)]));
}

function digestOfAll(files) {
  return digest([...files].map(([path, content]) => `${path} ${digest(content)}\n`).sort().join(''));
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function digest(content) {
  return createHash('sha256').update(content).digest('base64url');
}

function writeIfChanged(file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

function kilobytes(content) {
  return `${(content.length / 1024).toFixed(1)} KB`;
}
