// The HTML export in a browser: in a wide and in a narrow window, with the light and the dark colour scheme.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumFlags, config, outFile } from '../browser/lab.mjs';

const exported = outFile('export.html');

before(() => {
  execFileSync(config.asUser, ['sh', '-c', '"$HOME/.local/bin/perijove" run "$1" --html "$2"', 'export',
    path.join(config.folder, 'export.ipynb'), exported], { stdio: ['ignore', 'ignore', 'inherit'] });
});

// Runs in the page: measures what is visible. legible is the size of the smallest text in the picture, in pixels of the
// page.
function look() {
  const image = document.querySelector('.output img');
  const svg = new DOMParser().parseFromString(atob(image.src.split(',')[1]), 'image/svg+xml').documentElement;
  const sizes = [...svg.querySelectorAll('text')].map((text) => Number(text.getAttribute('font-size')));
  const shown = image.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    formulas: [...document.querySelectorAll('math')].map((math) => math.getBoundingClientRect().height),
    legible: Math.min(...sizes) * shown,
    inPicture: sizes.length,
    contrasts: [...document.querySelectorAll('.output pre.stdout span')].map(contrast),
  };

  /** Returns the contrast, as defined by WCAG, between the text of an element and its background. */
  function contrast(element) {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    let behind = element;
    while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map((c) => luminance(channels(c)));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1200, 390]) {
    test(`${colorScheme}, ${width} pixels wide`, { timeout: 600_000 }, async () => {
      const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
      try {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        await page.goto(pathToFileURL(exported).href);
        const seen = await page.evaluate(look);
        await page.screenshot({ path: outFile(`export-${colorScheme}-${width}.png`), fullPage: true });
        assert.ok(seen.overflow <= 0, `nothing is wider than the page: ${seen.overflow}`);
        assert.equal(seen.formulas.length, 2, 'formulas are MathML');
        for (const height of seen.formulas) assert.ok(height > 15, `a formula has a height: ${seen.formulas}`);
        assert.ok(seen.inPicture > 10 && seen.legible >= 9, `texts of the picture appear in ${seen.legible} pixels`);
        assert.ok(seen.contrasts.length >= 40, `${seen.contrasts.length} coloured texts`);
        assert.ok(Math.min(...seen.contrasts) >= 4.5, `contrasts ${seen.contrasts.map((c) => c.toFixed(1))}`);
      } finally {
        await browser.close();
      }
    });
  }
}
