// The time from the key press to the text in the page: Shift+Enter in a cell that prints a new text, alternately in Go
// and in Python. The test prints the medians and their ratio. E2E_ROUNDS is the number of runs of each cell. No time
// makes the test fail.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openTab, outFile, withNotebook } from '../browser/lab.mjs';
import { testTimeout } from '../browser/notebook.mjs';

const rounds = Number(process.env.E2E_ROUNDS ?? 5);
const pause = 300; // ms before a key press, so that the editor and the kernels are idle
const hello = 0; // index of the cell

/** Runs in the page: sets window.shown to a promise of the time in ms from the next key press to the moment at which the cell's outputs contain the text. */
function arm({ text, timeout }) {
  const cell = document.querySelector('.jp-Notebook .jp-Cell');
  let pressed;
  document.addEventListener('keydown', function press(event) {
    if (event.key !== 'Enter') return;
    document.removeEventListener('keydown', press, true);
    pressed = event.timeStamp;
  }, true);
  window.shown = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`the output ${text} did not appear within ${timeout} ms`)), timeout);
    new MutationObserver((_, observer) => {
      const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')];
      if (pressed === undefined || !outputs.some((output) => output.textContent.includes(text))) return;
      observer.disconnect();
      resolve(performance.now() - pressed);
    }).observe(cell, { subtree: true, childList: true, characterData: true });
  });
}

/** Runs the cell once with a new text, and returns the time in ms. */
async function measure(notebook, print, text) {
  const { page } = notebook;
  await page.bringToFront();
  await notebook.type(hello, `${print}("${text}")`);
  await page.waitForTimeout(pause);
  await page.evaluate(arm, { text, timeout: testTimeout });
  await page.keyboard.press('Shift+Enter');
  const ms = await page.evaluate(() => window.shown);
  await notebook.idle();
  return ms;
}

const quantile = (sample, q) => [...sample].sort((a, b) => a - b)[Math.round(q * (sample.length - 1))];
const describe = (sample) => [0.5, 0.25, 0.75].map((q) => quantile(sample, q).toFixed(1));

test('from the key press to the text', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('keypress-go.ipynb', async (notebook, page) => {
    const python = await openTab(page, 'keypress-python.ipynb');
    await python.kernelReady('Python 3 (ipykernel)');
    const kernels = [
      { name: 'Perijove', notebook, print: 'fmt.Println', times: [] },
      { name: 'ipykernel', notebook: python, print: 'print', times: [] },
    ];
    for (let round = 0; round <= rounds; round++) {
      for (const kernel of round % 2 ? kernels : [...kernels].reverse()) {
        const ms = await measure(kernel.notebook, kernel.print, `hello ${round} of ${kernel.name}`);
        assert.ok(ms > 0, `${kernel.name}: ${ms} ms`);
        if (round > 0) kernel.times.push(ms); // the first run does not count
      }
    }
    for (const { name, times } of kernels) {
      assert.equal(times.length, rounds);
      const [median, low, high] = describe(times);
      t.diagnostic(`${name}: ${median} ms (${low} to ${high}), from the key press to the text, ${rounds} times`);
    }
    const [go, other] = kernels.map(({ times }) => quantile(times, 0.5));
    t.diagnostic(`Perijove takes ${(go / other).toFixed(2)} × the time of ipykernel`);
    writeFileSync(outFile('keypress.json'), JSON.stringify(Object.fromEntries(kernels.map(({ name, times }) => [name, times]))));
  });
});
