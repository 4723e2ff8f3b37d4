// The picture of widget.Live agrees with its control: in the page that ran the cell, after a reload, in a second
// window, and when the notebook is opened again. After the kernel has ended, and without a kernel, the last picture is
// shown.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { config, openTab, outFile, withNotebook } from '../browser/lab.mjs';
import { difference, thumbnail } from '../browser/picture.mjs';

const file = 'live.ipynb';
const [definitions, live, references, says] = [0, 1, 2, 3];
const pictures = '.jp-OutputArea-output img, .jp-OutputArea-output .jp-RenderedSVG svg';
// Two pictures show the same bars if their difference is below this. Pictures of the same bars, one as SVG and one as
// PNG, differ by 1 to 2; pictures of seven and of two bars differ by 20 to 40.
const sameBelow = 8;

let wanted; // thumbnails of two and seven bars

/** Returns the visible pictures of a cell. */
async function visible(notebook, index) {
  const all = await notebook.cell(index).locator(pictures).all();
  const seen = [];
  for (const picture of all) if (await picture.isVisible()) seen.push(picture);
  return seen;
}

/** Waits until the cell shows exactly one picture, with the given number of bars. */
async function shows(notebook, bars, name) {
  let found = 'no picture';
  for (const end = Date.now() + 60_000; Date.now() < end; await notebook.page.waitForTimeout(200)) {
    const seen = await visible(notebook, live);
    if (seen.length !== 1) {
      found = `${seen.length} pictures`;
      continue;
    }
    const drawn = await thumbnail(seen[0]).catch(() => null); // the picture may have been replaced
    if (!drawn) continue;
    const [two, seven] = [difference(drawn, wanted[0]), difference(drawn, wanted[1])];
    found = `differs by ${two} from two bars, by ${seven} from seven`;
    if ((bars === 2 ? two : seven) < sameBelow) {
      await notebook.page.screenshot({ path: outFile(`live-${name}.png`) });
      return;
    }
  }
  await notebook.page.screenshot({ path: outFile(`live-failed-${name}.png`) });
  assert.fail(`${name}: the cell does not show ${bars} bars: ${found}`);
}

const handle = (notebook) => notebook.cell(live).locator('.noUi-handle');
const readout = (notebook, text) => notebook.cell(live).locator('.widget-readout', { hasText: new RegExp(`^${text}$`) }).waitFor();

async function moveTo(notebook, bars) {
  await handle(notebook).focus();
  await notebook.page.keyboard.press('Home'); // one bar
  for (let i = 1; i < bars; i++) await notebook.page.keyboard.press('ArrowRight');
  await readout(notebook, bars);
}

/** Writes a copy of the saved file that names a kernel which does not exist, and returns its name. */
function withoutKernel(notebook) {
  const copy = notebook.saved();
  copy.metadata.kernelspec = { name: 'absent', display_name: 'absent', language: 'absent' };
  delete copy.metadata.language_info; // otherwise JupyterLab would choose another kernel for the language
  writeFileSync(path.join(config.folder, 'live-copy.ipynb'), JSON.stringify(copy));
  return 'live-copy.ipynb';
}

test('widget.Live in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook(file, async (notebook, page) => {
    await t.test('it follows the slider', async () => {
      await notebook.run(definitions);
      await notebook.run(references);
      const both = await visible(notebook, references);
      assert.equal(both.length, 2);
      wanted = [await thumbnail(both[0]), await thumbnail(both[1])];
      assert.ok(difference(...wanted) > 2 * sameBelow, `the references differ: ${difference(...wanted)}`);
      await notebook.run(live);
      await handle(notebook).waitFor();
      await shows(notebook, 2, 'run');
      await moveTo(notebook, 7);
      await shows(notebook, 7, 'moved');
    });
    await t.test('after a reload', async () => {
      await notebook.save();
      await page.reload();
      await notebook.kernelReady(config.kernelName);
      await readout(notebook, 7);
      await shows(notebook, 7, 'reloaded');
      await moveTo(notebook, 2);
      await shows(notebook, 2, 'reloaded-moved');
      assert.match(await notebook.run(says), /the slider says 2/);
    });
    await t.test('in a second window', async () => {
      const second = await openTab(page, file);
      await readout(second, 2);
      await shows(second, 2, 'second');
      await moveTo(second, 7);
      await shows(second, 7, 'second-moved');
      await page.bringToFront();
      await readout(notebook, 7);
      await shows(notebook, 7, 'first-follows');
      await second.page.close();
    });
    await t.test('closed and opened again', async () => {
      await page.goto('about:blank');
      const again = await openTab(page, file, page);
      await readout(again, 7);
      await shows(again, 7, 'reopened');
    });
    await t.test('a picture is there after a restart of the kernel', async () => {
      // The page that runs a cell stores the picture for the last value of the control.
      const ran = await notebook.run(live);
      assert.doesNotMatch(ran, /rror/);
      await shows(notebook, 2, 'run-again');
      await moveTo(notebook, 7);
      await shows(notebook, 7, 'before-restart');
      await page.waitForFunction(() => document.querySelectorAll('.jp-OutputArea-output .jp-RenderedSVG').length > 0);
      await notebook.restart();
      await shows(notebook, 7, 'restarted');
      await notebook.save();
      await page.reload();
      await notebook.kernelReady(config.kernelName);
      await shows(notebook, 7, 'restarted-reloaded');
    });
    await t.test('and without a kernel', async () => {
      const copy = await openTab(page, withoutKernel(notebook));
      await copy.page.locator('.jp-Dialog select').selectOption({ label: 'No Kernel' });
      await copy.acceptDialog();
      await shows(copy, 7, 'no-kernel');
      await copy.page.close();
    });
    await t.test('and in what nbconvert makes of it', async () => {
      const exported = outFile('live.html');
      execFileSync(config.asUser, ['jupyter-nbconvert', '--log-level=ERROR', '--to', 'html', '--output', exported, path.join(config.folder, file)],
        { stdio: ['ignore', 'ignore', 'inherit'] });
      assert.ok(readFileSync(exported, 'utf8').includes('bars: 7'), 'the value that the picture belongs to is there');
      await page.goto(pathToFileURL(exported).href);
      const seen = await page.locator('.jp-Cell').nth(live).locator('.jp-OutputArea-output img, .jp-OutputArea-output svg').all();
      assert.equal(seen.length, 1);
      assert.ok(difference(await thumbnail(seen[0]), wanted[1]) < sameBelow, 'the exported picture has seven bars');
      await page.screenshot({ path: outFile('live-nbconvert.png') });
    });
  });
});
