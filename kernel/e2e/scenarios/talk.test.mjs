// The outputs of the second notebook: results of child processes, a progress bar that grows in place, plots.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';
import { measure } from '../browser/picture.mjs';

test('the notebook of queues and pools in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('02-queues-pipes-pools.ipynb', async (notebook, page) => {
    await t.test('Run All Cells runs the children', async () => {
      await notebook.runAll();
      const shows = async (pattern) => assert.equal((await notebook.cellsShowing(pattern)).length, 1, `one cell shows ${pattern}`);
      await shows(/Start:837799 Steps:524/);
      await shows(/20 of 20 {1,2}longest so far: from 837799, 524 steps/);
      await shows(/of 600 additions are lost/);
      await shows(/goroutines \[2 4 6\]\s+after Double in processes +\[1 2 3\]/);
      await shows(/12 tasks done, \d+ of them at the second try/);
    });
    await t.test('the bar is drawn once, and full', async () => {
      const bar = page.locator('.jp-OutputArea-output progress');
      assert.equal(await bar.count(), 1);
      assert.equal(await bar.evaluate((element) => element.value), 1);
      await bar.scrollIntoViewIfNeeded();
      await page.screenshot({ path: outFile('talk.png') });
    });
    await t.test('the plots are drawn', async () => {
      const plots = page.locator('.jp-OutputArea-output img, .jp-OutputArea-output svg');
      const tasks = await measure(plots.first(), outFile('talk-tasks.png'));
      assert.ok(tasks.natural.width > 100 && tasks.drawn > 500, `the tasks are drawn: ${JSON.stringify(tasks)}`);
      const plot = plots.last();
      await plot.scrollIntoViewIfNeeded();
      const seen = await measure(plot, outFile('talk-plot.png'));
      assert.ok(seen.natural.width > 100 && seen.drawn > 500, `the plot is drawn: ${JSON.stringify(seen)}`);
      await page.screenshot({ path: outFile('talk-cost.png') });
    });
  });
});
