// The HTML exports of the committed notebooks, printed: no page except the last is mostly empty.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumFlags, committedNotebooks, config, outFile } from '../browser/lab.mjs';

// leastFilled is the least share of a page's height between the top of the page and the end of its last printed line.
const leastFilled = 0.4;

for (const name of committedNotebooks()) {
  test(`${name} on paper`, { timeout: 600_000 }, async () => {
    const [html, pdf] = ['html', 'pdf'].map((kind) => outFile(`print-${path.basename(name, '.ipynb')}.${kind}`));
    execFileSync(config.asUser, ['sh', '-c', '"$HOME/.local/bin/perijove" export "$1" --html "$2"', 'export',
      path.join(config.folder, 'untrusted', name), html], { stdio: ['ignore', 'ignore', 'inherit'] });
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
    try {
      const page = await browser.newPage();
      await page.goto(pathToFileURL(html).href);
      await page.pdf({ path: pdf, format: 'A4' });
    } finally {
      await browser.close();
    }
    const filled = filledShares(execFileSync('pdftoppm', ['-r', '20', '-gray', pdf], { maxBuffer: 1 << 28 }));
    assert.ok(filled.length > 2, `${filled.length} pages`);
    const least = Math.min(...filled.slice(0, -1));
    assert.ok(least >= leastFilled, `pages are filled to ${filled.map((f) => f.toFixed(2))}`);
  });
}

/** Returns, for each image of a sequence of binary PGM files, the share of its height from the top to the last row that is not white. */
function filledShares(pgm) {
  const shares = [];
  for (let at = 0; at < pgm.length;) {
    const header = pgm.subarray(at, at + 40).toString('latin1').match(/^P5\n(\d+) (\d+)\n255\n/);
    assert.ok(header, `a PGM header at byte ${at}`);
    const [width, height] = [Number(header[1]), Number(header[2])];
    const pixels = pgm.subarray(at + header[0].length, at + header[0].length + width * height);
    shares.push((pixels.findLastIndex((grey) => grey < 200) + 1) / pixels.length);
    at += header[0].length + pixels.length;
  }
  return shares;
}
