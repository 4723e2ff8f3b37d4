// The output of %%prof in the light and the dark theme and in a narrow window: the flame graph, the texts under the
// pointer, the tables.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { outFile, setTheme, withNotebook } from '../browser/lab.mjs';
import { measure } from '../browser/picture.mjs';

after(() => setTheme('JupyterLab Light'));

for (const [theme, light] of [['JupyterLab Dark', 'false'], ['JupyterLab Light', 'true']]) {
  test(`a profile in ${theme}`, { timeout: 1_800_000 }, async () => {
    await setTheme(theme);
    await withNotebook('profile.ipynb', async (notebook, page) => {
      await page.locator(`body[data-jp-theme-light="${light}"]`).waitFor({ state: 'attached' });
      const text = await notebook.run(0);
      assert.match(text, /processor time: \S+ in 3 processes/);
      assert.match(text, /child \d+[^]*slices\.Index[^]*line of Cell \[\d\][^]*slices\.Contains\(seen, x\)/);
      const graph = notebook.cell(0).locator('.jp-OutputArea-output[data-mime-type="text/html"] img');
      const name = `profile-${light === 'true' ? 'light' : 'dark'}`;
      const seen = await measure(graph, outFile(`${name}.png`));
      assert.ok(seen.colours > 4 && seen.drawn > 500, `a flame graph is drawn: ${JSON.stringify(seen)}`);
      await hover(notebook, page, 'main.Distinct: ', 100);
      await page.screenshot({ path: outFile(`${name}-page.png`) });
      await page.setViewportSize({ width: 390, height: 844 });
      await graph.scrollIntoViewIfNeeded();
      await hover(notebook, page, 'main.Distinct: ', 20);
      await page.screenshot({ path: outFile(`${name}-390.png`) });
    });
  });
}

/** Moves the pointer to a call in the flame graph, and checks that the text under the pointer begins with begin. */
async function hover(notebook, page, begin, leastWidth) {
  const area = notebook.cell(0).locator(`i[title^="${begin}"]`).first();
  const box = await area.boundingBox();
  assert.ok(box.width > leastWidth && box.height > 8, `${begin} can be hit: ${JSON.stringify(box)}`);
  const [x, y] = [box.x + Math.min(box.width / 2, 40), box.y + box.height / 2];
  await page.mouse.move(x, y);
  const title = await page.evaluate(([left, top]) => document.elementFromPoint(left, top)?.title, [x, y]);
  assert.ok(title?.startsWith(begin), `under the pointer is ${title}`);
}
