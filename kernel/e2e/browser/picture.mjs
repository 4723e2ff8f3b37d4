// Measures rendered pictures: their sizes and colours.
import { readFileSync } from 'node:fs';

/**
 * Saves a screenshot of the element of locator to file, and measures it. Returns its width and height, the number of
 * its colours, the number of pixels that differ from the background (drawn), the red, green and blue of the background,
 * which is a pixel near the corner, and natural, the size of an <img>'s source, which is 0 for a broken image.
 */
export async function measure(locator, file) {
  await locator.scrollIntoViewIfNeeded();
  const natural = await locator.evaluate(async (element) => {
    if (!(element instanceof HTMLImageElement)) {
      const box = element.getBoundingClientRect();
      return { width: box.width, height: box.height };
    }
    await element.decode();
    return { width: element.naturalWidth, height: element.naturalHeight };
  });
  await locator.screenshot({ path: file });
  const png = readFileSync(file).toString('base64');
  const colours = await locator.page().evaluate(countColours, png);
  return { natural, ...colours };
}

// Runs in the page: decodes a PNG, and counts its distinct colours and the pixels that differ from a pixel near the
// corner.
async function countColours(png) {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
  // The outermost pixels may partly show the page.
  const background = pixels[4 * bitmap.width + 4];
  let drawn = 0;
  for (const pixel of pixels) if (pixel !== background) drawn++;
  const near = [background & 0xff, (background >> 8) & 0xff, (background >> 16) & 0xff];
  return { width: bitmap.width, height: bitmap.height, colours: new Set(pixels).size, drawn, background: near };
}

/** Returns a thumbnail of the element of locator: the brightness, 0 to 255, of 24 × 16 fields. */
export async function thumbnail(locator) {
  await locator.scrollIntoViewIfNeeded();
  const png = (await locator.screenshot()).toString('base64');
  return locator.page().evaluate(fields, png);
}

/** Returns the mean difference of the fields of two thumbnails. */
export function difference(a, b) {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}

// Runs in the page: returns the fields of the thumbnail of a PNG.
async function fields(png) {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(24, 16);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, 24, 16);
  const { data } = context.getImageData(0, 0, 24, 16);
  return Array.from({ length: 24 * 16 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);
}
