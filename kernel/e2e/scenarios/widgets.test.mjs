// Controls whose state is in the worker process: a user moves, presses and chooses them between cells and while a cell
// runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';
import { testTimeout } from '../browser/notebook.mjs';

const [slider, running, controls, values] = [0, 1, 2, 3];

test('widgets in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('widgets.ipynb', async (notebook, page) => {
    const handle = notebook.cell(slider).locator('.noUi-handle');
    const square = (text) => notebook.cell(slider).locator('.square:visible', { hasText: text }).waitFor();

    await t.test('a moved slider has the function called again', async () => {
      await notebook.run(slider);
      await handle.waitFor();
      await square('2 squared is 4');
      await handle.focus();
      await page.keyboard.press('ArrowRight');
      await square('3 squared is 9');
      assert.equal(await notebook.cell(slider).locator('.square:visible').count(), 1);
    });
    await t.test('it moves while a cell runs', async () => {
      const before = await notebook.count(running);
      await notebook.start(running);
      await notebook.cell(running).locator('.jp-OutputArea-output', { hasText: 'running' }).waitFor();
      await handle.focus();
      await page.keyboard.press('End');
      await square('8 squared is 64');
      await notebook.cellFinished(running, before);
      assert.match(await notebook.text(running), /moved to 8 while the cell ran/);
    });
    await t.test('buttons, menus and bars', async () => {
      await notebook.run(controls);
      const cell = notebook.cell(controls);
      await cell.locator('button', { hasText: 'press' }).click();
      await cell.getByText('pressed 1 times').waitFor();
      await cell.locator('button', { hasText: 'press' }).click();
      await cell.getByText('pressed 2 times').waitFor();
      await cell.locator('select').selectOption('green');
      await square('5 squared is 25');
      await page.waitForFunction(() => document.querySelector('.progress-bar')?.style.width === '70%');
      assert.match(await notebook.run(values), /2 green 5/);
      await page.screenshot({ path: outFile('widgets.png') });
    });
    await t.test('a page that is opened again has them still', async () => {
      await notebook.save();
      await page.reload();
      await notebook.kernelReady('Go (Perijove)');
      await notebook.cell(slider).locator('.noUi-handle').waitFor();
      await notebook.cell(slider).locator('.noUi-handle').focus();
      await page.keyboard.press('Home');
      // The slider's message may arrive after the first run of the cell.
      let text = await notebook.run(values);
      for (const end = Date.now() + testTimeout; !/2 green 1/.test(text) && Date.now() < end;) text = await notebook.run(values);
      assert.match(text, /2 green 1/);
    });
  });
});
