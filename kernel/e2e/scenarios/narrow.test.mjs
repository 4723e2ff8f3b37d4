// Notebooks in a window that is as narrow as a phone: pictures are at most as wide as their output, and keep their
// proportions. Timelines would be illegible at that width, so they are wider and scroll. The SVG pictures of a trusted
// notebook scroll, too, since JupyterLab shows them as img elements and limits the width only of svg elements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committedNotebooks, outFile, withNotebook } from '../browser/lab.mjs';

const width = 390;

/** Makes the window narrow, and waits until JupyterLab has laid out the notebook again. */
async function narrow(page) {
  await page.setViewportSize({ width, height: 844 });
  await page.waitForFunction((most) => {
    const areas = [...document.querySelectorAll('.jp-Cell-outputArea')].map((area) => area.getBoundingClientRect()).filter((box) => box.width > 0);
    return areas.length > 0 && areas.every((box) => box.right <= most);
  }, width);
}

/** Describes the pictures in the outputs, each with a list of its faults. */
function pictures(page) {
  return page.evaluate(() => [...document.querySelectorAll('.jp-OutputArea-output')].flatMap((output) => [...output.querySelectorAll('img, svg')]
    .filter((picture) => !picture.closest('mjx-container, .MathJax') && picture.getClientRects().length > 0)
    .map((picture) => {
      const [box, area] = [picture, output].map((element) => element.getBoundingClientRect());
      const natural = picture instanceof HTMLImageElement
        ? { width: picture.naturalWidth, height: picture.naturalHeight }
        : { width: picture.viewBox.baseVal?.width || box.width, height: picture.viewBox.baseVal?.height || box.height };
      let frame = picture.parentElement;
      while (frame !== output.parentElement && getComputedStyle(frame).overflowX === 'visible') frame = frame.parentElement;
      const scrolls = ['auto', 'scroll'].includes(getComputedStyle(frame).overflowX) && frame.getBoundingClientRect().right <= area.right + 1;
      const wrong = [];
      if (box.width > area.width + 1 && (!scrolls || output.dataset.mimeType === 'image/png')) wrong.push(`${Math.round(box.width)} wide in ${Math.round(area.width)}`);
      if (Math.abs(box.width / box.height / (natural.width / natural.height) - 1) > 0.02) wrong.push(`${box.width} × ${box.height} of ${natural.width} × ${natural.height}`);
      return { cut: box.width > area.width + 1, kind: `${output.dataset.mimeType} ${picture.tagName.toLowerCase()}`, wrong };
    })));
}

for (const file of committedNotebooks()) {
  test(`${file}, ${width} px wide`, { timeout: 1_800_000 }, async () => {
    await withNotebook(`untrusted/${file}`, async (notebook, page) => {
      await narrow(page);
      const found = await pictures(page);
      assert.ok(found.length > 0, 'there are pictures');
      assert.deepEqual(found.filter(({ wrong }) => wrong.length > 0), []);
      const wide = found.filter(({ cut }) => cut).map(({ kind }) => kind);
      assert.ok(wide.every((kind) => kind === 'text/html img'), `only timelines and profiles are wide: ${wide}`);
      await page.locator('.jp-OutputArea-output img').first().scrollIntoViewIfNeeded();
      await page.screenshot({ path: outFile(`narrow-${file}.png`) });
    });
  });
}

// The outputs of cells that have just run are trusted, so JupyterLab prefers SVG.
test(`trusted pictures, ${width} px wide`, { timeout: 1_800_000 }, async () => {
  await withNotebook('gallery.ipynb', async (notebook, page) => {
    const { cells } = notebook.saved();
    for (const id of ['v30', 'v31', 'v32', 'v33']) await notebook.run(cells.findIndex((cell) => cell.id === id));
    const plot = notebook.cell(cells.findIndex((cell) => cell.id === 'v32')).locator('.jp-OutputArea-output[data-mime-type="image/svg+xml"] :is(svg, img)');
    await plot.waitFor();
    await narrow(page);
    const found = await pictures(page);
    assert.ok(found.length >= 4, `pictures: ${JSON.stringify(found)}`);
    assert.deepEqual(found.filter(({ wrong }) => wrong.length > 0), []);
    await plot.scrollIntoViewIfNeeded();
    await page.screenshot({ path: outFile('narrow-trusted.png') });
  });
});
