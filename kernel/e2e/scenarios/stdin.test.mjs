// A cell that reads a line: the unfinished line of its output is the prompt of the input field, and the typed text
// follows the prompt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, withNotebook } from '../browser/lab.mjs';

test('standard input in JupyterLab', { timeout: 1_800_000 }, async () => {
  await withNotebook('stdin.ipynb', async (notebook, page) => {
    const box = page.locator('.jp-Stdin-prompt');
    const answer = async (prompt, text) => {
      await box.filter({ hasText: prompt }).last().waitFor(); // JupyterLab removes an answered input field with a delay
      await page.locator('.jp-Stdin-input').last().fill(text);
      await page.locator('.jp-Stdin-input').last().press('Enter');
    };
    const shown = async (index) => (await notebook.text(index)).split('\n').map((line) => line.replace(/\s+/g, ' ').trimEnd()).filter(Boolean);
    await notebook.start(0);
    await answer('What is your name?', 'Ada');
    await notebook.cellFinished(0, 0);
    await page.waitForFunction(() => document.querySelector('.jp-Stdin-prompt') === null);
    assert.deepEqual(await shown(0), ['What is your name? Ada', 'Hello, Ada']);
    await notebook.start(1);
    await answer('line:', 'first');
    await page.getByText('got first').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.jp-Stdin-prompt').length === 1);
    await answer('line:', 'second');
    await notebook.cellFinished(1, 0);
    await page.waitForFunction(() => document.querySelector('.jp-Stdin-prompt') === null);
    assert.deepEqual(await shown(1), ['line: first', 'got first', 'line: second', 'got second']);
    await page.screenshot({ path: outFile('stdin.png') });
  });
});
