// Forty values and twenty errors in the light and the dark theme, with screenshots. Each cell has the expected output,
// also as text for front ends without HTML. No output is cut off, and all texts have enough contrast.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outFile, setTheme, withNotebook } from '../browser/lab.mjs';
import { cutElements, faintTexts } from '../browser/readable.mjs';

const perPicture = 12; // number of cells in a screenshot

// The contrast ratios that WCAG requires of text and of graphics. The colours of a terminal are the same in all themes
// of a front end, so no colour can have a contrast of more than about 3.2 on the backgrounds for errors of both themes.
const [leastContrast, leastOfColours] = [4.5, 3];

/** The expected output of each cell: a pattern for the rendered text and, for some cells, a selector and the number of its elements. */
const expected = {
  v0: [/^42\n-7\n200\n3\n0\.1\n1e\+21\n\(1-2i\)$/],
  v1: [/^"text with \\"quotes\\" and ä"\n120\ntrue$/],
  v2: [/^`several\nlines\n\s+of text`$/],
  v3: [/^\[3 1 2\]$/],
  v4: [/225\n[^]*… 172 more …[^]*89401\]\n\[\]int, 300 elements$/],
  v5: [/… 999,880 more …[^]*\[\]int, 1,000,000 elements$/],
  v6: [/^\[0\.1 0\.333333 1e-09 1000000000000 2\]$/],
  v7: [/\[\]\[\]float64, 3 × 2$/, 'tbody tr', 3],
  v8: [/^\[\]byte\("text as bytes"\)\n\[\]byte\{0x00, 0xff, 0x07\}$/],
  v9: [/^\["an" "array" "of" "strings"\]$/],
  v10: [/^key\s+value\s+Europa\s+2\s+Ganymede\s+3\s+Io\s+1\s+map\[string\]int, 3 entries$/, 'tbody tr', 3],
  v11: [/1\s+\["a"\]\s+2\s+\["b" "c"\]\s+map\[int\]\[\]string, 2 entries$/, 'tbody tr', 2],
  v12: [/Name\s+Distance\s+Found\s+Tags\s+0\s+Io\s+421\.7\s+1610-01-08[^]*\["ice" "sea"\]/, 'tbody tr', 2],
  v13: [/^\{Name:"Io" Distance:421\.7 [^]*Tags:\[\]\}$/],
  v14: [/^&\{Name:"Europa"/],
  v15: [/moon 0[^]*9,965 more rows[^]*moon 9999[^]*10,000 elements$/, 'tbody tr', 36],
  v16: [/3 fields[^]*"second"[^]*cycle/, 'details', 1],
  v17: [/etc[^]*usr[^]*"src"/, 'tbody tr', 2],
  v18: [/^\{A:\[1 "two" 3\] B:nil C:\(chan int, 0 of 0\) D:nil\}$/],
  v19: [/^\(func\(int\) string\)\(0x[0-9a-f]+\)$/],
  v20: [/^2026-11-27 12:00:00 \+0000 UTC\n1m30s$/],
  v21: [/^1267650600228229401496703205376\n1\/3$/],
  v22: [/^192\.168\.0\.1\n10\.0\.0\.0\/8$/],
  v23: [/^an error is red$/, 'pre[style*="color"]', 1],
  v24: [/^reading the file: open x\.txt: file does not exist\n\s+wraps \*fs\.PathError: /, 'pre[style*="color"]', 1],
  v25: [/^0\s+strconv\.Atoi: parsing "twelve": invalid syntax$/, 'pre[style*="color"]', 1],
  v26: [/^one\ntwo$/, 'pre[style*="color"]', 1],
  v27: [/^bold and italic$/, 'b', 1],
  v28: [/^Title\W+a list\s+of two$/, 'li', 2],
  v29: [/\S/, 'mjx-container, .MathJax', 1],
  v30: [/^$/, 'svg, img', 1],
  v31: [/^$/, 'img', 1],
  v32: [/^$/, 'svg, img', 1],
  v33: [/^10$/, 'img', 1],
  v34: [/moons\s+\[\]Moon\s+2 elements[^]*squares\s+\[\]int\s+300 elements[^]*2 variables$/, 'tbody tr', 2],
  v35: [/^4 of 4\s+in [\d.]+ m?s, [\d.]+k?\/s$/, 'progress', 1],
  v36: [/^n\s*3$/, '.widget-slider', 1],
  v37: [/^n\s*0\s*\[\]/, '.widget-slider', 1],
  v38: [/^(red bold underlined\s+standard error|standard error\s+red bold underlined)$/, '.ansi-red-fg', 1], // the texts come from two pipes, so their order is random
  v39: [/^%time, %%time \[STATEMENT\]\s+run STATEMENT/],
  e0: [/undefined: fmt\.Printn \(did you mean Println\?\)\nfmt\.Printn\("x"\)\n {4}\^$/],
  e1: [/line 2:3: no new variables[^]*line 3:1: undefined: y/],
  e2: [/expected \{ after the for clause: write it on the line of the for/],
  e3: [/expected \{ after the if clause/],
  e4: [/string literal not terminated: the quotation mark at its end is missing/],
  e5: [/cannot use "text" \(untyped string constant\) as int value/],
  e6: [/line 1:8: a cell cannot return a value/],
  e7: [/cannot use 3 [^]*\(write "3"\)/],
  e8: [/package example\.com\/not\/there is not available here; to get it:\s+%get example\.com\/not\/there/],
  e9: [/index out of range \[7\] with length 2[^]*moons\[7\]\n\s+\^{8}$/],
  e10: [/assignment to entry in nil map[^]*\n\s+\^{6}$/],
  e11: [/nil pointer dereference[^]*q\.Name\n\s+\^{6}$/],
  e12: [/integer divide by zero\nCell \[\d+\] line 1, in divide[^]*\^{5}[^]*line 2, in the cell\n\s+divide\(1, 0\)$/],
  e13: [/interface conversion: interface \{\} is string, not int[^]*\^{17}$/],
  e14: [/^panic: wrapped: EOF\n/],
  e15: [/s\.side undefined \(type Square has no field or method side, but does have field Side\)\nfunc/],
  e16: [/^exit status 3$/],
  e17: [/^panic: in a goroutine, in the goroutine started at Cell \[\d+\] line 1/],
  e18: [/^\[1 0\]\s+mp: task 1: panic: [^]*index out of range \[5\] with length 1[^]*line 2, in fails/, 'pre[style*="color"]', 1],
  e19: [/%lst is not a directive \(did you mean %list\?\)/],
};

test('values and errors in JupyterLab Light', { timeout: 1_800_000 }, async () => {
  await setTheme('JupyterLab Light');
  await withNotebook('gallery.ipynb', async (notebook, page) => {
    for (const index of notebook.saved().cells.keys()) await notebook.run(index);
    await notebook.save();
    await look(notebook, page, 'light');
    checkSaved(notebook.saved().cells);
  });
});

// Shows the outputs of the first test again, with the same kernel.
test('values and errors in JupyterLab Dark', { timeout: 1_800_000 }, async () => {
  await setTheme('JupyterLab Dark');
  try {
    await withNotebook('gallery.ipynb', (notebook, page) => look(notebook, page, 'dark'));
  } finally {
    await setTheme('JupyterLab Light');
  }
});

/** Takes screenshots of all cells, and checks their outputs. */
async function look(notebook, page, theme) {
  await page.locator(`body[data-jp-theme-light="${theme === 'light'}"]`).waitFor({ state: 'attached' });
  await page.locator('.widget-slider').nth(1).waitFor(); // the last outputs to appear
  const ids = Object.keys(expected);
  assert.equal(ids.length, 60);
  const wrong = [];
  for (const [index, id] of ids.entries()) wrong.push(...await differences(notebook.cell(index), id, await notebook.text(index)));
  assert.deepEqual(wrong, [], `cells in the ${theme} theme`);
  const [cut, faint] = [[], []];
  for (let i = 0; i < ids.length; i += perPicture) {
    await picture(page, i, Math.min(i + perPicture, ids.length), outFile(`gallery-${theme}-${i / perPicture + 1}.png`));
    cut.push(...await cutElements(page, '.jp-Cell-outputArea'));
    faint.push(...await faintTexts(page, '.jp-OutputArea-output', leastContrast, leastOfColours));
  }
  assert.deepEqual(cut, [], 'no output is cut');
  assert.deepEqual(faint, [], `text has contrast in the ${theme} theme`);
}

/** Returns the differences between the output of a cell and the expected output, as texts. */
async function differences(cell, id, text) {
  const [pattern, selector = '*', count] = expected[id];
  const output = cell.locator('.jp-OutputArea-output');
  const found = output.locator(`:scope:is(${selector}), :is(${selector})`);
  await output.first().waitFor({ state: 'attached' });
  if (count) await found.first().waitFor({ state: 'attached' });
  const wrong = [];
  if (!pattern.test(text.trim())) wrong.push(`${id} shows ${text.trim()}`);
  if (count && await found.count() !== count) wrong.push(`${id} has ${await found.count()} of ${selector}`);
  return wrong;
}

/** Checks which cells fail, and that each output has a text form for front ends without HTML, scripts and widgets. */
function checkSaved(cells) {
  for (const { id, outputs } of cells) {
    if (!(id in expected)) continue; // a cell that JupyterLab has added at the end
    assert.equal(outputs.some(({ output_type: type }) => type === 'error'), id.startsWith('e') && id !== 'e18', `cell ${id} fails`);
    for (const { data } of outputs) if (data) assert.ok('text/plain' in data, `cell ${id} has a text`);
    const texts = outputs.map(({ text, data, evalue }) => [text ?? data?.['text/plain'] ?? evalue].flat().join(''));
    assert.ok(texts.join('').trim().length > 0, `cell ${id} shows something as text`);
  }
}

/** Takes a screenshot of the cells from first up to, but not including, last. */
async function picture(page, first, last, path) {
  const height = await page.evaluate(([from, to]) => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].reduce((sum, cell, i) => {
    cell.style.display = i >= from && i < to ? '' : 'none';
    return sum + cell.offsetHeight;
  }, 0), [first, last]);
  await page.setViewportSize({ width: 1100, height: height + 150 });
  await page.locator('.jp-Notebook .jp-Cell').nth(first).scrollIntoViewIfNeeded();
  await page.screenshot({ path });
}
