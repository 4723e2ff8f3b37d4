// Checks that the outputs of a notebook are readable: their texts have enough contrast, and no part is cut off.

/** Returns the texts in the elements of a selector whose contrast is less than least. For texts in a colour of a terminal, the bound is leastColoured. */
export async function faintTexts(page, selector, least, leastColoured) {
  return page.evaluate(findFaintTexts, [selector, least, leastColoured]);
}

// Runs in the page.
function findFaintTexts([selector, least, leastColoured]) {
  const channels = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { rgb: [r, g, b], a };
  };
  const over = ({ rgb, a }, below) => rgb.map((c, i) => a * c + (1 - a) * below[i]);
  const luminance = (rgb) => rgb
    .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  // ground returns the background of an element: the colours of the element and of its ancestors, blended. The page
  // itself is white.
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    return over(channels(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
  const found = [];
  for (const root of document.querySelectorAll(selector)) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode.textContent.trim();
      const element = texts.currentNode.parentElement;
      // The background of a text in a picture is not known, since it is in the pixels of the picture.
      if (!text || element.closest('svg, style, script') || !element.getClientRects().length) continue;
      const style = getComputedStyle(element);
      const below = ground(element);
      const colour = channels(style.color);
      colour.a *= opacity(element);
      const [darker, lighter] = [luminance(over(colour, below)), luminance(below)].sort((a, b) => a - b);
      const ratio = (lighter + 0.05) / (darker + 0.05);
      const coloured = element.matches('pre span[style*="color"], pre span[class*="ansi-"][class*="-fg"]');
      if (ratio < (coloured ? leastColoured : least)) found.push({ text: text.slice(0, 60), ratio: ratio.toFixed(2), colour: style.color, below: below.map(Math.round).join() });
    }
  }
  return found;
}

/** Returns the elements in the elements of a selector whose content is cut off, or which extend beyond the element of the selector. */
export async function cutElements(page, selector) {
  return page.evaluate(findCutElements, selector);
}

// Runs in the page.
function findCutElements(selector) {
  const found = [];
  for (const root of document.querySelectorAll(selector)) {
    const box = root.getBoundingClientRect();
    for (const element of [root, ...root.querySelectorAll('*')]) {
      const own = element.getBoundingClientRect();
      if (own.width === 0 || own.height === 0 || element.closest('style, script, .jp-OutputPrompt, .MathJax, mjx-container, .MJX_Assistive_MathML')) continue;
      const hidden = element instanceof HTMLElement && getComputedStyle(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
      if (hidden || own.right > box.right + 1 || own.left < box.left - 1) {
        found.push(`${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} ${Math.round(own.left)} to ${Math.round(own.right)} in ${Math.round(box.left)} to ${Math.round(box.right)}${hidden ? `, its content ${element.scrollWidth}` : ''}`);
      }
    }
  }
  return found;
}
