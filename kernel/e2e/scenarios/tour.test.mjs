// The five cells of the README, typed and run as a user does, with a screenshot of each step. docs/pictures makes the
// README's animated picture from the screenshots.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { config, outFile, withNotebook } from '../browser/lab.mjs';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const cells = [...readme.matchAll(/^```go\n([\s\S]*?)\n```$/gm)].map((found) => found[1]);
const size = { width: 940, height: 620 };

/** A Recording is a list of screenshots, with the time for which each is shown. */
class Recording {
  frames = [];

  constructor(page) {
    this.page = page;
  }

  async frame(milliseconds) {
    const file = `tour-${String(this.frames.length).padStart(3, '0')}.png`;
    await this.page.screenshot({ path: outFile(file), caret: 'hide', animations: 'disabled' });
    this.frames.push({ file, milliseconds });
  }

  save() {
    writeFileSync(outFile('tour.json'), JSON.stringify(this.frames, null, 1));
  }
}

function newNotebook(file) {
  const empty = (_, i) => ({ id: `cell-${i}`, cell_type: 'code', metadata: {}, outputs: [], execution_count: null, source: '' });
  const kernelspec = { name: 'perijove', display_name: config.kernelName, language: 'go' };
  writeFileSync(path.join(config.folder, file), JSON.stringify({
    nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: cells.map(empty),
  }));
}

/** Types a cell in a few steps, and records a frame of each step. */
async function typeCell(notebook, page, recording, index) {
  await notebook.cell(index).locator('.cm-content').click();
  const lines = cells[index].split('\n');
  const step = Math.ceil(lines.length / 6);
  for (let i = 0; i < lines.length; i += step) {
    const end = i + step < lines.length ? '\n' : '';
    await page.keyboard.insertText(lines.slice(i, i + step).join('\n') + end);
    await reveal(notebook, index);
    await recording.frame(180);
  }
}

/** Scrolls so that the end of a cell is visible. */
async function reveal(notebook, index) {
  await notebook.cell(index).evaluate((cell) => cell.scrollIntoView({ block: 'end' }));
}

test('the tour of the README', { timeout: 1_800_000 }, async (t) => {
  assert.equal(cells.length, 5, 'the README has five cells');
  newNotebook('tour.ipynb');
  await withNotebook('tour.ipynb', async (notebook, page) => {
    const recording = new Recording(page);
    await page.setViewportSize(size);
    const shown = [/Callisto/, /1\s+2/, /Io \(1\.77 days\)\s+3/, /1229 2262 3245 4203/, /days/];
    for (const index of cells.keys()) {
      await t.test(`cell ${index + 1}`, async () => {
        await typeCell(notebook, page, recording, index);
        assert.match(await notebook.run(index), shown[index]);
        await reveal(notebook, index);
        if (index < cells.length - 1) await recording.frame(1700);
      });
    }
    await t.test('the plot follows the slider', async () => {
      const last = cells.length - 1;
      const picture = notebook.cell(last).locator('img').first();
      await picture.waitFor();
      await reveal(notebook, last);
      await recording.frame(1200);
      await notebook.cell(last).locator('.noUi-handle').focus();
      for (let step = 0; step < 8; step++) {
        const before = await picture.getAttribute('src');
        for (let i = 0; i < 5; i++) await page.keyboard.press('PageUp');
        await page.waitForFunction(([img, old]) => img.isConnected === false || img.src !== old,
          [await picture.elementHandle(), before]);
        await page.waitForTimeout(300); // further pictures, for positions that the handle has passed, may arrive
        await recording.frame(step < 7 ? 350 : 2500);
      }
    });
    recording.save();
  });
});
