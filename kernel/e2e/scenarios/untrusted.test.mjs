// The committed notebooks, opened by a user who has not run them. JupyterLab does not trust them, so it renders no SVG
// and no HTML with scripts. Nevertheless, it shows every plot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedNotebooks, isPlot, outFile, setTheme, withNotebook } from '../browser/lab.mjs';
import { measure } from '../browser/picture.mjs';

const files = committedNotebooks();

/** Returns the cells whose stored outputs have pictures, with the number of pictures. Front ends prefer HTML, so the HTML form of an output must have the picture, too. */
function cellsWithPictures(notebook) {
  return notebook.saved().cells
    .map((cell, index) => ({ index, pictures: (cell.outputs ?? []).filter(isPlot).length }))
    .filter(({ pictures }) => pictures > 0);
}

const shown = ['image/png', 'text/html'].map((type) => `.jp-OutputArea-output[data-mime-type="${type}"] img`).join(', ');

test('there are notebooks', () => assert.ok(files.length >= 3));

for (const file of files) {
  test(`${file}, not trusted`, { timeout: 1_800_000 }, async () => {
    await withNotebook(`untrusted/${file}`, async (notebook, page) => {
      const cells = cellsWithPictures(notebook);
      for (const { index, pictures } of cells) {
        const images = notebook.cell(index).locator(shown);
        await images.first().waitFor();
        assert.equal(await images.count(), pictures, `cell ${index} shows its plots as PNG, as it must where SVG is not trusted`);
        for (let i = 0; i < pictures; i++) {
          const seen = await measure(images.nth(i), outFile(`untrusted-${file}-${index}-${i}.png`));
          assert.ok(seen.colours > 2 && seen.drawn > 500, `cell ${index} shows a plot: ${JSON.stringify(seen)}`);
          assert.ok(seen.natural.width >= 2 * seen.width - 2, `at least two pixels for each of the page's: ${JSON.stringify(seen)}`);
        }
      }
      const broken = await page.locator('.jp-Notebook img').evaluateAll((all) => all.filter((img) => img.naturalWidth === 0).map((img) => img.alt));
      assert.deepEqual(broken, [], 'every picture of the text is there');
      // Take a screenshot of the first plot and its cell, for docs/pictures.
      await notebook.cell(cells[0].index).locator('.jp-OutputArea').scrollIntoViewIfNeeded();
      await page.screenshot({ path: outFile(`untrusted-${file}.png`) });
    });
  });
}

// Plots have a light background in all themes, since their colours are chosen for it.
for (const [theme, light] of [['JupyterLab Dark', 'false'], ['JupyterLab Light', 'true']]) {
  test(`plots in ${theme}`, { timeout: 1_800_000 }, async () => {
    await setTheme(theme);
    await withNotebook(`untrusted/${files[0]}`, async (notebook, page) => {
      await page.locator(`body[data-jp-theme-light="${light}"]`).waitFor({ state: 'attached' });
      const [{ index }] = cellsWithPictures(notebook);
      const image = notebook.cell(index).locator(shown).first();
      await image.waitFor();
      const seen = await measure(image, outFile(`theme-${light === 'true' ? 'light' : 'dark'}.png`));
      assert.deepEqual(seen.background, [255, 255, 255], `a plot is on white: ${JSON.stringify(seen)}`);
      assert.ok(seen.drawn > 500, `a plot is drawn: ${JSON.stringify(seen)}`);
      await page.screenshot({ path: outFile(`theme-${light === 'true' ? 'light' : 'dark'}-page.png`) });
    });
  });
}
