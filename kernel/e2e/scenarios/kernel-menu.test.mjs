// The Kernel menu: Restart removes all variables. Interrupt ends a cell that would never end, and keeps the variables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';

const [setX, stepX, forever, afterwards] = [0, 1, 2, 3];

test('the Kernel menu in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('kernel-menu.ipynb', async (notebook, page) => {
    await t.test('state lives from cell to cell', async () => {
      await notebook.run(setX);
      assert.match(await notebook.run(stepX), /x is 2/);
      assert.match(await notebook.run(stepX), /x is 3/);
    });
    await t.test('Interrupt ends "for {}" and keeps the state', async () => {
      await notebook.start(forever);
      await notebook.busy();
      await notebook.interrupt();
      await notebook.idle();
      assert.match(await notebook.text(forever), /interrupt/i);
      assert.match(await notebook.run(afterwards), /after the interrupt x is 3/);
      await page.screenshot({ path: outFile('interrupted.png') });
    });
    await t.test('Restart forgets the state, and names what is missing', async () => {
      await notebook.restart();
      assert.match(await notebook.run(stepX), /undefined: x/);
      await page.screenshot({ path: outFile('undefined.png') });
      await notebook.run(setX);
      assert.match(await notebook.run(stepX), /x is 2/);
    });
  });
});
