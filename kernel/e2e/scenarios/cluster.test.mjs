// The table of a cluster's workers changes in the page while tasks run: in the cell that ended with it, while
// another cell runs, and in the cell that shows it and then runs tasks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';

const [open, table, tasks, both, close] = [0, 1, 2, 3, 4];

test('the table of workers', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('cluster.ipynb', async (notebook, page) => {
    // totals waits until the last line of the table of a cell has these sums of workers, running and done tasks.
    const total = (index, cells) => notebook.cell(index).locator('tbody tr').last()
      .filter({ hasText: new RegExp(`^total1${cells}$`) }).waitFor({ timeout: 120_000 });

    await t.test('it is a table of one process', async () => {
      await notebook.run(open);
      await notebook.run(table);
      await total(table, '20000' + '0 waiting');
      assert.equal(await notebook.cell(table).locator('thead th').count(), 10);
    });
    await t.test('it changes while another cell runs tasks', async () => {
      const before = await notebook.count(tasks);
      await notebook.start(tasks);
      await total(table, '2[12]\\d+ waiting'); // tasks run
      await page.screenshot({ path: outFile('cluster-running.png') });
      await notebook.cellFinished(tasks, before);
      assert.match(await notebook.text(tasks), /1/);
      await total(table, '201010' + '0 waiting'); // ten are done, one failed
      await page.screenshot({ path: outFile('cluster-done.png') });
    });
    await t.test('it changes while its own cell runs tasks', async () => {
      const before = await notebook.count(both);
      await notebook.start(both);
      await total(both, '2[12]\\d+ waiting');
      await notebook.cellFinished(both, before);
      await total(both, '201820' + '0 waiting');
      await total(table, '201820' + '0 waiting');
    });
    await t.test('after the end of the cluster there is no worker, and the notebook has the last table', async () => {
      await notebook.run(close);
      await notebook.save();
      assert.match(JSON.stringify(notebook.saved().cells[table].outputs), /<td[^>]*>18<\/td>/);
    });
  });
});
