// The committed notebooks, opened in Notebook 6 by a user who has not run them. Notebook 6 does not trust them, so it
// renders no SVG. Nevertheless, it shows every plot, in the right size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedNotebooks, isPlot, outFile } from '../browser/lab.mjs';
import { withNotebook6 } from '../browser/notebook6.mjs';
import { measure } from '../browser/picture.mjs';

const files = committedNotebooks();

test('there are notebooks', () => assert.ok(files.length >= 3));

for (const file of files) {
  test(`${file} in Notebook 6, not trusted`, { timeout: 1_800_000 }, async () => {
    await withNotebook6(`untrusted/${file}`, async ({ page, saved, cell }) => {
      for (const [index, { outputs = [] }] of saved.cells.entries()) {
        const stored = outputs.filter(isPlot);
        if (stored.length === 0) continue;
        const images = cell(index).locator('.output_png img, .output_html img');
        await images.first().waitFor();
        assert.equal(await images.count(), stored.length, `cell ${index} shows its plots as PNG`);
        for (const [i, { data, metadata }] of stored.entries()) {
          const seen = await measure(images.nth(i), outFile(`notebook6-${file}-${index}-${i}.png`));
          assert.ok(seen.colours > 2 && seen.drawn > 500, `cell ${index} shows a plot: ${JSON.stringify(seen)}`);
          assert.ok(seen.natural.width >= 2 * seen.width - 2, `at least two pixels for each of the page's: ${JSON.stringify(seen)}`);
          if (data['text/html']) continue; // the HTML is shown instead, and adapts its size to the page
          const { width } = metadata['image/png'];
          assert.ok(Math.abs(seen.width - width) <= 2, `as wide as the file says, ${width}: ${JSON.stringify(seen)}`);
        }
      }
      await page.screenshot({ path: outFile(`notebook6-${file}.png`) });
    });
  });
}
