// Build the bundle:  npm ci && npm run build.   `npm run check` rebuilds in memory and fails if the committed files differ.
// The banner of each file carries a hash of all sources and of the body below it, so that frontend/check_bundle.py can tell
// without Node.js whether what is committed was built from what is committed.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url)), out = join(here, '..', 'ibtext', 'demos', 'static');
const walk = d => readdirSync(d).flatMap(f => { const p = join(d, f); return statSync(p).isDirectory() ? walk(p) : [p]; });
const sha = text => createHash('sha256').update(text).digest('hex');

const files = ['build.mjs', 'package.json', 'package-lock.json', ...walk(join(here, 'src')).map(f => relative(here, f).replaceAll('\\', '/'))].sort();
const sources = sha(files.map(f => `${f}\n${sha(readFileSync(join(here, f)))}\n`).join(''));

const options = { bundle: true, minify: true, write: false, legalComments: 'none', charset: 'utf8', target: ['es2022', 'chrome105', 'firefox110', 'safari16'], logLevel: 'warning' };
const [js, css] = await Promise.all([
  build({ ...options, entryPoints: [join(here, 'src/index.js')], format: 'esm' }),
  build({ ...options, entryPoints: [join(here, 'src/demo.css')] }),
]);

const licences = readdirSync(join(here, 'node_modules')).filter(n => n.startsWith('d3-') || n === 'internmap').sort()
  .map(n => `${n} ${JSON.parse(readFileSync(join(here, 'node_modules', n, 'package.json'))).version}\n\n${readFileSync(join(here, 'node_modules', n, 'LICENSE'), 'utf8').trim()}\n`).join('\n---\n\n');
const banner = body => `/*! ibtext demo front end; built by frontend/build.mjs, do not edit. Includes parts of d3 (ISC, see LICENSES.txt). sources:${sources} body:${sha(body)} */\n`;
const wanted = {
  'demo.js': banner(js.outputFiles[0].text) + js.outputFiles[0].text,
  'demo.css': banner(css.outputFiles[0].text) + css.outputFiles[0].text,
  'LICENSES.txt': `Parts of these packages are contained in demo.js.\n\n${licences}`,
};

if (process.argv.includes('--check')) {
  const stale = Object.entries(wanted).filter(([name, text]) => readFileSync(join(out, name), 'utf8') !== text).map(([name]) => name);
  if (stale.length) { console.error(`The committed bundle is built from the committed sources, but ${stale.join(', ')} differ; a source was probably edited without a build; run "npm run build" in frontend/.`); process.exit(1); }
  console.log('The bundle is fresh.');
} else {
  for (const [name, text] of Object.entries(wanted)) { writeFileSync(join(out, name), text); console.log(`${name}: ${(text.length / 1024).toFixed(1)} kB`); }
}
