// All controls, used as a user does: values that the user sets arrive in Go, and values that Go sets arrive in the
// page.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { config, outFile, setTheme, withNotebook } from '../browser/lab.mjs';
import { testTimeout } from '../browser/notebook.mjs';

const [definitions, controls, values, set, interact, map, track, bad] = [0, 1, 2, 3, 4, 5, 6, 7];
const picture = (name) => ({ path: outFile(`controls-${name}.png`) });

test('controls in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook('controls.ipynb', async (notebook, page) => {
    const cell = notebook.cell(controls);
    const control = (description, inside) => cell
      .locator('.widget-label', { hasText: new RegExp(`^${description}$`) }).locator('xpath=..').locator(inside);
    const tab = (title) => cell.locator('.lm-TabBar-tab', { hasText: title }).click();
    const fold = (title) => cell.locator('.jupyter-widget-Collapse-header', { hasText: title }).click();

    /** Runs the cell that prints all values until its text matches the pattern: values of controls may arrive after the run of a cell. */
    async function arrive(pattern) {
      let text = await notebook.run(values);
      for (const end = Date.now() + testTimeout; !pattern.test(text) && Date.now() < end;) text = await notebook.run(values);
      assert.match(text, pattern);
    }

    await t.test('numbers', async () => {
      await notebook.run(definitions);
      await notebook.run(controls);
      await control('count', '.noUi-handle').focus();
      await page.keyboard.press('ArrowRight');
      await page.waitForFunction(() => [...document.querySelectorAll('.widget-text input[type=number]')].some((i) => i.value === '3'));
      await control('scale', '.noUi-handle').focus();
      await page.keyboard.press('End');
      await control('between', '.noUi-handle').first().focus();
      await page.keyboard.press('ArrowRight');
      await control('number', 'input').fill('42');
      await page.keyboard.press('Enter');
      await cell.locator('.widget-play button').first().click();
      await control('followed', '.widget-readout').and(page.getByText('5', { exact: true })).waitFor();
      await arrive(/^3 3 1 \[3 8\] 42 5$/m);
      await page.screenshot(picture('numbers'));
    });
    await t.test('choices', async () => {
      await tab('choices');
      await control('color', 'select').selectOption('blue');
      await control('fruits', 'select').selectOption(['apple', 'plum']);
      await control('size', 'input[type=radio]').nth(1).check();
      await control('backend', 'button').nth(1).click();
      await cell.locator('.widget-checkbox input').check();
      await control('day', 'input').fill('2026-11-27');
      await arrive(/^blue \[apple plum\] large processes true 2026-11-27$/m);
      await page.screenshot(picture('choices'));
    });
    await t.test('texts and files', async () => {
      await tab('texts');
      await fold('fields');
      await control('name', 'input').fill('Grace "é"');
      await page.keyboard.press('Enter');
      await control('notes', 'textarea').fill('first\nsecond');
      await control('name', 'input').click(); // moves the focus out of the text area
      await page.screenshot(picture('fields'));
      await fold('files');
      const contents = [randomBytes(1_000_000), Buffer.from([0, 255])];
      const chooser = page.waitForEvent('filechooser');
      await cell.locator('.widget-upload').click();
      await (await chooser).setFiles([
        { name: 'random.bin', mimeType: 'application/octet-stream', buffer: contents[0] },
        { name: 'two.bin', mimeType: 'application/octet-stream', buffer: contents[1] },
      ]);
      const hash = (b) => createHash('sha256').update(b).digest('hex');
      await arrive(new RegExp(`"Grace \\\\"é\\\\"" "first\\\\nsecond" \\[random.bin \\(1000000 bytes\\) two.bin \\(2 bytes\\)\\]\n${hash(contents[0])}\n${hash(contents[1])}`));
      await cell.locator('button.widget-button', { hasText: 'press' }).click();
      await cell.locator('.widget-output').getByText('pressed').waitFor();
      await page.screenshot(picture('files'));
    });
    await t.test('values that Go sets', async () => {
      assert.doesNotMatch(await notebook.run(set), /rror/);
      await cell.locator('.widget-upload', { hasText: 'upload (0)' }).waitFor();
      await fold('fields');
      await page.waitForFunction(() => document.querySelector('.widget-text input[type=text]')?.value === 'Ada' &&
        document.querySelector('.widget-textarea textarea')?.value === 'two\nlines');
      await tab('choices');
      await page.waitForFunction(() => document.querySelector('.widget-dropdown select').value === 'green' &&
        [...document.querySelector('.widget-select-multiple select').selectedOptions].map((o) => o.value).join() === 'apple,pear' &&
        document.querySelector('.widget-radio input').checked && !document.querySelector('.widget-checkbox input').checked &&
        document.querySelector('.widget-toggle-buttons button').classList.contains('mod-active') &&
        document.querySelector('.widget-datepicker input').value === '2025-02-28');
      await tab('numbers');
      for (const [what, text] of [['count', '9'], ['scale', '0.75'], ['between', '4 – 6']]) {
        await control(what, '.widget-readout').and(page.getByText(text, { exact: true })).waitFor();
      }
      await page.waitForFunction(() => [...document.querySelectorAll('.widget-text input[type=number]')].map((i) => i.value).join() === '9,-3');
      await page.waitForFunction(() => document.querySelector('.progress-bar').style.width === '10%');
      assert.match(await notebook.run(bad), /widget: cannot set the value of intslider "count": the value 11 is not between the control's limits 0 and 10/);
    });
    await t.test('controls of a function', async () => {
      await notebook.run(interact);
      const made = notebook.cell(interact);
      const marks = (text) => made.locator('.marks:visible', { hasText: new RegExp(`^${text}$`) }).waitFor();
      await marks('xxx');
      await made.locator('.noUi-handle').focus();
      await page.keyboard.press('ArrowRight');
      await marks('xxxx');
      await made.locator('select').selectOption('o');
      await marks('oooo');
      await made.locator('.widget-checkbox input').check();
      await marks('oooooooo');
      await page.screenshot(picture('interact'));
    });
    await t.test('bars of long calls', async () => {
      const before = await notebook.count(map);
      await notebook.start(map);
      await notebook.cell(map).locator('progress').waitFor();
      await notebook.cell(map).getByText(/2 of 3\s+tasks/).waitFor();
      await page.screenshot(picture('bar'));
      await notebook.cellFinished(map, before);
      await notebook.cell(map).locator('progress').waitFor({ state: 'detached' });
      assert.match(await notebook.text(map), /^\s*mapped <nil>\s*$/);
      assert.match(await notebook.run(track), /3 of 3\s+in 1\.\d s, 2\.\d+\/s/);
    });
    await t.test('in the dark theme, and on a narrow page', async () => {
      await notebook.save();
      await setTheme('JupyterLab Dark');
      try {
        await page.reload();
        await page.locator('body[data-jp-theme-light="false"]').waitFor({ state: 'attached' });
        await notebook.kernelReady(config.kernelName);
        await cell.locator('.lm-TabBar-tab').first().waitFor();
        for (const title of ['numbers', 'choices', 'texts']) {
          await tab(title);
          await page.screenshot(picture(`dark-${title}`));
        }
        await page.setViewportSize({ width: 390, height: 1600 });
        await page.screenshot(picture('dark-390'));
      } finally {
        await setTheme('JupyterLab Light');
      }
    });
  });
});
