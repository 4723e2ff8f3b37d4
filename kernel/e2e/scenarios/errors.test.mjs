// The output of a cell with an error: it has the number of the line in the cell, the source line and a caret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';

const [doesNotCompile, panics, afterwards] = [0, 1, 2];

test('errors in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('errors.ipynb', async (notebook, page) => {
    await t.test('a compile error names its line and points at its column', async () => {
      const text = await notebook.run(doesNotCompile);
      assert.match(text, /Cell \[1\] line 3:\d+/);
      const lines = text.split('\n');
      const caret = lines.findIndex((line) => /^[\s\d|]*\^/.test(line));
      assert.ok(caret > 0, `a caret stands under a line:\n${text}`);
      const source = lines[caret - 1];
      assert.ok(source.slice(lines[caret].indexOf('^')).startsWith('hello'), `the caret points at the name:\n${text}`);
    });
    await t.test('a panic names its line and keeps the state', async () => {
      assert.match(await notebook.run(panics), /index out of range \[3\] with length 3[^]*Cell \[2\] line 3/);
      assert.match(await notebook.run(afterwards), /list is \[1 2 3\]/);
      await page.screenshot({ path: outFile('errors.png') });
    });
  });
});
