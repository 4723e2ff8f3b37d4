// The first notebook, used as a user does: Run All Cells, check the texts and the curve, change the worker counts, run
// again, save, export.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { config, outFile, withNotebook } from '../browser/lab.mjs';
import { measure } from '../browser/picture.mjs';

const file = process.env.E2E_SHARED_X ?? '01-shared-x.ipynb';
const pictures = '.jp-OutputArea-output img, .jp-OutputArea-output svg';

/** Parses lines such as "Thread-70572 thinks X is 0". A thread number may follow the process number. */
function story(text) {
  const line = /^(Thread|Main|Process)-(\d+)(?:\/\d+)? (?:thinks X is|sets X to) (\d+)$/gm;
  return [...text.matchAll(line)].map(([, who, pid, x]) => ({ who, pid: +pid, x: +x }));
}

function assertStory(text) {
  const said = (who) => story(text).filter((line) => line.who === who);
  const [main, thread, child] = ['Main', 'Thread', 'Process'].map(said);
  assert.deepEqual(main.map((line) => line.x), [1, 2, 3], `main sets X to 1, 2, 3:\n${text}`);
  assert.equal(thread.length, 3, `the goroutine speaks three times:\n${text}`);
  assert.equal(child.length, 3, `the process speaks three times:\n${text}`);
  const pids = (lines) => [...new Set(lines.map((line) => line.pid))];
  assert.deepEqual(pids(thread), pids(main), 'the goroutine has the pid of main');
  assert.equal(pids(child).length, 1, 'the process has one pid');
  assert.notDeepEqual(pids(child), pids(main), 'the process has a pid of its own');
  assert.deepEqual(child.map((line) => line.x), [0, 0, 0], `the process stays at 0:\n${text}`);
  const seen = thread.map((line) => line.x);
  assert.ok(seen.at(-1) > seen[0], `the goroutine follows X:\n${text}`);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'the goroutine never sees X go back');
}

/** Returns the first column of the table whose heading is "workers". The table may be rendered as HTML or as text. */
async function workersColumn(notebook) {
  const tables = notebook.page.locator('.jp-OutputArea-output table');
  for (const table of await tables.all()) {
    // The table head may have two rows: groups of columns, and below them the columns.
    const first = (part) => table.locator(`${part} tr`).evaluateAll((trs) => trs.map((tr) => tr.cells[0]?.innerText.trim()));
    if ((await first('thead'))[0] === 'workers') return (await first('tbody')).map(Number);
  }
  for (const index of await notebook.cellsShowing(/^\W*workers\b/m)) {
    const lines = (await notebook.text(index)).split('\n').map((line) => line.trim().replace(/^[|│]\s*/, ''));
    const head = lines.findIndex((line) => line.startsWith('workers'));
    const numbers = [];
    for (const line of lines.slice(head + 1)) {
      const first = /^(\d+)\b/.exec(line);
      if (first) numbers.push(Number(first[1]));
      else if (numbers.length || /[a-z]/i.test(line)) break;
    }
    if (numbers.length) return numbers;
  }
  throw new Error('no output holds a table whose first column is "workers"');
}

/**
 * Saves a screenshot of the curve to out/name, and checks the curve. Returns the PNG and the texts of the picture. The
 * curve is the picture of the cell tagged "curve", whose axis has the worker counts.
 */
async function curve(notebook, counts, name) {
  const picture = notebook.cell(notebook.tagged('curve')).locator(pictures).first();
  const seen = await measure(picture, outFile(name));
  assert.ok(seen.natural.width > 100 && seen.natural.height > 100, `the curve has a size: ${JSON.stringify(seen)}`);
  assert.ok(seen.colours > 2, `the curve has an ideal line and points: ${JSON.stringify(seen)}`);
  assert.ok(seen.drawn > 500, `the curve is drawn: ${JSON.stringify(seen)}`);
  const labels = await picture.evaluate(svgTexts);
  const missing = counts.filter((n) => !labels.includes(String(n)));
  assert.deepEqual(missing, [], `the axis has all worker counts: ${labels.join(' | ')}`);
  return { png: readFileSync(outFile(name)).toString('base64'), labels };
}

// Runs in the page: returns the texts of an SVG picture, which JupyterLab shows as an <img> with a data URL.
async function svgTexts(element) {
  let svg = element;
  if (element instanceof HTMLImageElement) {
    const text = await (await fetch(element.src)).text();
    svg = new DOMParser().parseFromString(text, 'image/svg+xml');
  }
  return [...svg.querySelectorAll('text')].map((node) => node.textContent.trim());
}

/** Replaces the worker counts in the source of the parameters cell. */
function withWorkers(source, counts) {
  const changed = source.replace(/(\bworkers\b[^\n]*?)([{[])\s*\d[\d\s,]*([}\]])/, (_, before, open, close) =>
    before + open + counts.join(', ') + close);
  assert.notEqual(changed, source, `the parameters cell sets workers to a list:\n${source}`);
  return changed;
}

async function exportHTML(page) {
  const exported = outFile('shared-x.html');
  execFileSync(config.asUser, ['jupyter-nbconvert', '--log-level=ERROR', '--to', 'html', '--output', exported, path.join(config.folder, file)],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  await page.goto(pathToFileURL(exported).href);
  assertStory((await page.locator('.jp-OutputArea-output').allInnerTexts()).join('\n'));
  const seen = await measure(page.locator(pictures).first(), outFile('shared-x-html-curve.png'));
  assert.ok(seen.natural.width > 100 && seen.colours > 2, `the exported curve is drawn: ${JSON.stringify(seen)}`);
  await page.screenshot({ path: outFile('shared-x-html.png'), fullPage: true });
}

test('the shared-X notebook in JupyterLab', { timeout: 1_800_000 }, async (t) => {
  await withNotebook(file, async (notebook, page) => {
    const parameters = notebook.tagged('parameters');
    let firstCurve;
    let firstColumn;
    await t.test('Run All Cells shows the experiment', async () => {
      await notebook.runAll();
      const [index] = await notebook.cellsShowing(/thinks X is/);
      assert.ok(index !== undefined, 'a cell shows the experiment');
      assertStory(await notebook.text(index));
      await notebook.cell(index).scrollIntoViewIfNeeded();
      await page.screenshot({ path: outFile('shared-x.png') });
    });
    await t.test('the table and the curve are there', async () => {
      firstColumn = await workersColumn(notebook);
      assert.ok(firstColumn.length >= 2, `the table has rows: ${firstColumn}`);
      firstCurve = await curve(notebook, firstColumn, 'shared-x-curve.png');
      assert.ok(!firstCurve.labels.includes('5'), 'there was no measurement with 5 workers');
      await page.screenshot({ path: outFile('shared-x-curve-page.png') });
    });
    await t.test('other worker counts give another table and curve', async () => {
      const counts = [1, 2, 3, 5];
      assert.notDeepEqual(firstColumn, counts);
      await notebook.type(parameters, withWorkers(notebook.source(parameters), counts));
      await notebook.runAll();
      assert.deepEqual(await workersColumn(notebook), counts);
      const changed = await curve(notebook, counts, 'shared-x-curve-changed.png');
      assert.notEqual(changed.png, firstCurve.png, 'the curve changed');
    });
    await t.test('it is saved as it is shown, and nbconvert exports it', async () => {
      await notebook.save();
      assert.match(notebook.source(parameters), /1, 2, 3, 5/);
      await exportHTML(page);
    });
  });
});
