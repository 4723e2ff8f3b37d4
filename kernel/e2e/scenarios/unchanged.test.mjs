// Opening a notebook does not mark it as changed, and saving it does not change the file: the committed notebooks, and
// notebooks that "perijove run -o" writes, have the form and the metadata that JupyterLab would give them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import path from 'node:path';
import { config, openTab, withNotebook } from '../browser/lab.mjs';
import { testTimeout } from '../browser/notebook.mjs';

const inFolder = (name) => path.join(config.folder, name);

/** Opens a notebook in a new window, and waits until JupyterLab has stored the kernel's description of its language. */
async function openUnchanged(page, file) {
  const tab = await page.context().newPage();
  const described = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('the kernel sent no kernel_info_reply')), testTimeout).unref();
    tab.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => payload.includes('kernel_info_reply') && resolve()));
  });
  const notebook = await openTab(page, file, tab);
  await described;
  await notebook.kernelReady(config.kernelName);
  await tab.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); }));
  return notebook;
}

const isDirty = (notebook) => notebook.page.locator('.lm-TabBar-tab.jp-mod-dirty').count().then((n) => n > 0);

test('notebooks that are opened are not changed', { timeout: 1_800_000 }, async (t) => {
  const written = 'unchanged.ipynb';
  execFileSync(config.asUser, ['sh', '-c', '"$HOME/.local/bin/perijove" run "$1" --allow-errors -o "$2"', 'run',
    inFolder('values.ipynb'), inFolder(written)], { stdio: ['ignore', 'ignore', 'inherit'] });
  await withNotebook('errors.ipynb', async (_, page) => {
    await t.test('one with other metadata is', async () => {
      const other = JSON.parse(readFileSync(inFolder(written), 'utf8'));
      other.metadata.language_info.version = '0.9';
      writeFileSync(inFolder('other.ipynb'), JSON.stringify(other));
      const notebook = await openUnchanged(page, 'other.ipynb');
      await notebook.page.locator('.lm-TabBar-tab.jp-mod-dirty').waitFor();
      await notebook.page.close();
    });
    for (const file of readdirSync(inFolder('untrusted')).filter((name) => name.endsWith('.ipynb'))) {
      await t.test(file, async () => {
        copyFileSync(inFolder(`untrusted/${file}`), inFolder(`opened-${file}`));
        const notebook = await openUnchanged(page, `opened-${file}`);
        const go = JSON.parse(readFileSync(inFolder(written), 'utf8')).metadata.language_info.version;
        // If the release of Go is not the one that has run the committed notebooks, that is a change.
        assert.equal(await isDirty(notebook), notebook.saved().metadata.language_info.version !== go);
        await notebook.page.close();
      });
    }
    await t.test('what perijove run has written, byte by byte', async () => {
      const before = readFileSync(inFolder(written), 'utf8');
      const notebook = await openUnchanged(page, written);
      assert.equal(await isDirty(notebook), false);
      const saved = notebook.page.waitForResponse((reply) => reply.request().method() === 'PUT' && reply.url().includes(`/api/contents/${written}`));
      await notebook.page.keyboard.press('Control+S');
      assert.ok((await saved).ok());
      assert.equal(readFileSync(inFolder(written), 'utf8'), before);
      await notebook.page.close();
    });
  });
});
