// Values and errors in the light and the dark theme: trees can be folded, tables have columns, an error that is a
// result is red although the cell succeeds, tracebacks have colours.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, setTheme, withNotebook } from '../browser/lab.mjs';

const [tree, table, map, grid, error, whos, panics, syntax, spelling] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

for (const [theme, light] of [['JupyterLab Dark', 'false'], ['JupyterLab Light', 'true']]) {
  test(`values in ${theme}`, { timeout: 1_800_000 }, async () => {
    await setTheme(theme);
    await withNotebook('values.ipynb', async (notebook, page) => {
      await page.locator(`body[data-jp-theme-light="${light}"]`).waitFor({ state: 'attached' });
      await notebook.run(tree);
      const folded = notebook.cell(tree).locator('details details').first();
      assert.equal(await folded.evaluate((e) => e.open), false, 'what lies deeper is folded');
      await folded.locator('> summary').click();
      assert.equal(await folded.evaluate((e) => e.open), true, 'a click unfolds it');
      assert.match(await notebook.run(table), /Name[^]*person 499[^]*500 elements/);
      assert.equal(await notebook.cell(table).locator('tbody tr').count(), 36, 'first and last rows, and one for the others');
      for (const index of [map, grid, whos]) {
        await notebook.run(index);
        assert.ok(await notebook.cell(index).locator('td').count() > 5, `cell ${index} shows a table`);
      }
      await notebook.run(error);
      const red = await notebook.cell(error).locator('.jp-OutputArea-output pre').last().evaluate((e) => getComputedStyle(e).color);
      assert.match(red, /^rgb\((1[5-9]\d|2\d\d), (\d|\d\d|1[01]\d), (\d|\d\d|1[01]\d)\)$/, 'an error is red');
      assert.match(await notebook.run(panics), /index out of range[^]*xs\[i\][^]*\^\^\^\^\^/);
      assert.ok(await notebook.cell(panics).locator('span[style*="color"]').count() > 0, 'a traceback has colours');
      assert.match(await notebook.run(syntax), /for _, x := range xs/);
      assert.match(await notebook.run(spelling), /did you mean Println[^]*did you mean people/);
      await page.setViewportSize({ width: 1280, height: 3400 });
      await notebook.cell(tree).scrollIntoViewIfNeeded();
      await page.screenshot({ path: outFile(`values-${light === 'true' ? 'light' : 'dark'}.png`) });
    });
  });
}
