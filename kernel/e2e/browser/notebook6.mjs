// A notebook in Notebook 6, an older front end than JupyterLab. The class names are those of Notebook 6.4.
import { chromium } from 'playwright-core';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromiumFlags, config, outFile } from './lab.mjs';
import { testTimeout } from './notebook.mjs';

/** Calls body with an open notebook: the page, the locators of its cells, and the content of its file. */
export async function withNotebook6(file, body) {
  const url = process.env.E2E_NOTEBOOK6_URL;
  if (!url) throw new Error('E2E_NOTEBOOK6_URL is not set: start the scenarios with kernel/e2e/run');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags, timeout: testTimeout });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 }, deviceScaleFactor: 1 });
    page.setDefaultTimeout(testTimeout);
    try {
      await page.goto(`${url}/notebooks/${file}?token=${config.token}`);
      const saved = JSON.parse(readFileSync(path.join(config.folder, file), 'utf8'));
      await page.waitForFunction((n) => document.querySelectorAll('#notebook-container > .cell').length === n, saved.cells.length);
      await body({ page, saved, cell: (index) => page.locator('#notebook-container > .cell').nth(index) });
    } catch (err) {
      await page.screenshot({ path: outFile(`failed-notebook6-${path.basename(file, '.ipynb')}.png`) }).catch(() => {});
      throw err;
    }
  } finally {
    await browser.close();
  }
}
