// Widgets of notebooks written for GoNB: scripts in outputs exchange values with the running cell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';

const [program, button, later] = [0, 1, 2];

test("GoNB's page in JupyterLab", { timeout: 1_800_000 }, async (t) => {
  await withNotebook('gonb.ipynb', async (notebook, page) => {
    // press runs the cell with the button, waits until the button shows that the page is connected, and clicks it.
    async function press() {
      const before = await notebook.count(button);
      await notebook.start(button);
      const shown = notebook.cell(button).locator('button', { hasText: 'ready' });
      await shown.waitFor();
      await shown.click();
      await notebook.cellFinished(button, before);
      assert.match(await notebook.text(button), /clicks float64 0 <nil>\s*clicks float64 1 <nil>/);
    }
    await t.test('a script and a cell exchange values', async () => {
      await notebook.run(program);
      await press();
      await page.screenshot({ path: outFile('gonb.png') });
    });
    await t.test('the script that connects them is not saved', async () => {
      await notebook.save();
      assert.ok(!JSON.stringify(notebook.saved()).includes('WebSocket'));
    });
    await t.test('a page that is opened again is connected again', async () => {
      await page.reload();
      await notebook.kernelReady('Go (Perijove)');
      await press();
      assert.match(await notebook.run(later), /more/);
    });
  });
});
