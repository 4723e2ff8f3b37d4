// The committed notebooks as VS Code shows them, in a trusted folder and in an untrusted one. VS Code itself does not
// run. For each output, the test chooses the form that VS Code would choose, and renders it on a page with VS Code's
// content security policy, as VS Code's built-in renderer does. The rules are those of VS Code's sources:
// notebookCommon.ts (order and secure types), backLayerWebView.ts (the policy), extensions/notebook-renderers (types
// and elements).
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumFlags, config, outFile } from '../browser/lab.mjs';
import { cutElements, faintTexts } from '../browser/readable.mjs';

// The order in which VS Code prefers types. Types that are not in this list, such as those of widgets, come before it.
const order = ['application/json', 'application/javascript', 'text/html', 'image/svg+xml', 'text/latex', 'text/markdown', 'image/png', 'image/jpeg', 'text/plain'];
const secure = ['application/json', 'text/latex', 'text/markdown', 'image/png', 'image/jpeg', 'text/plain'];
const policy = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src https: http: data: blob:; font-src https:; "
  + 'connect-src https:; child-src https: data:';

// The type of widgets, which need the Jupyter extension and a kernel.
const widgetView = 'application/vnd.jupyter.widget-view+json';

/** Returns the MIME type in an output's data that VS Code shows. */
function chosen(data, trusted) {
  const types = Object.keys(data).filter((type) => trusted || secure.includes(type));
  for (const type of types) assert.ok(order.includes(type) || type === widgetView, `VS Code renders ${type}`);
  return types.sort((a, b) => order.indexOf(a) - order.indexOf(b))[0];
}

const joined = (text) => [text].flat().join('');
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Returns the HTML that the built-in renderers make from an output. */
function element(type, content) {
  if (type === 'text/html' || type === 'image/svg+xml') return content;
  if (type.startsWith('image/')) return `<div class="display"><img src="data:${type};base64,${content.replace(/\s/g, '')}"></div>`;
  if (type === 'text/markdown') return `<div>${escaped(content)}</div>`;
  return `<div style="font-family:monospace;white-space:pre-wrap">${escaped(content)}</div>`;
}

/** Returns the outputs of a notebook in the form that VS Code shows. */
function shown(notebook, trusted) {
  const all = [];
  for (const [index, cell] of notebook.cells.entries()) {
    for (const [i, output] of (cell.outputs ?? []).entries()) {
      const where = `cell ${index} (${cell.id}), output ${i}`;
      if (output.output_type === 'stream') {
        all.push({ where, type: 'text/plain', html: element('text/plain', joined(output.text)) });
      } else if (output.output_type !== 'error') {
        const type = chosen(output.data, trusted);
        assert.ok(type, `${where} has a form for VS Code`);
        if (type === widgetView) {
          // VS Code cannot show widgets from a file, so another output of the cell must show the result of the widgets.
          assert.ok(cell.outputs.some(({ data = {} }) => !(widgetView in data)), `${where} is not all that the cell shows`);
        } else {
          all.push({ where, type, html: element(type, joined(output.data[type])) });
        }
      }
    }
  }
  return all;
}

const themes = {
  dark: 'background:#1e1e1e;color:#cccccc;--vscode-foreground:#cccccc;--vscode-editor-background:#1e1e1e',
  light: 'background:#ffffff;color:#3b3b3b;--vscode-foreground:#3b3b3b;--vscode-editor-background:#ffffff',
};

for (const name of readdirSync(path.join(config.folder, 'untrusted')).filter((file) => file.endsWith('.ipynb'))) {
  test(`${name} in VS Code`, { timeout: 600_000 }, async () => {
    const notebook = JSON.parse(readFileSync(path.join(config.folder, 'untrusted', name), 'utf8'));
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
    try {
      for (const [theme, style] of Object.entries(themes)) {
        for (const trusted of [true, false]) await look(browser, shown(notebook, trusted), style, `${path.basename(name, '.ipynb')}-${theme}${trusted ? '' : '-untrusted'}`);
      }
    } finally {
      await browser.close();
    }
  });
}

/** Renders outputs on a page, and checks that each is visible and readable. */
async function look(browser, outputs, style, name) {
  assert.ok(outputs.length > 0);
  const page = await browser.newPage({ viewport: { width: 1100, height: 1000 } });
  const refused = [];
  const requested = [];
  page.on('console', (message) => message.text().includes('Content Security Policy') && refused.push(message.text()));
  page.on('request', (request) => /^https?:/.test(request.url()) && requested.push(request.url()));
  const body = outputs.map(({ html }) => `<div class="output" style="margin:8px 0">${html}</div>`).join('\n');
  // The CSS rules of VS Code's page and built-in renderer that change sizes.
  const rules = `body { ${style}; font: 13px sans-serif } .output { overflow-x: auto } .output img, .output svg { max-width: 100% } .display img { height: auto }
    table { border-collapse: collapse } th, td { padding: 4px 8px }`;
  await page.setContent(`<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><style>${rules}</style></head><body>${body}</body></html>`);
  const seen = await page.locator('.output').evaluateAll(async (all) => Promise.all(all.map(async (output) => {
    const pictures = [...output.querySelectorAll('img, svg, progress')];
    await Promise.all(pictures.map((picture) => picture.decode?.().catch(() => {})));
    const boxes = pictures.map((picture) => picture.getBoundingClientRect());
    return { text: output.innerText.trim(), pictures: pictures.length, broken: pictures.filter((p, i) => p.naturalWidth === 0 || boxes[i].width * boxes[i].height === 0).length };
  })));
  for (const [i, { text, pictures, broken }] of seen.entries()) {
    const { where, type, html } = outputs[i];
    assert.equal(broken, 0, `${where}: pictures of ${type}`);
    assert.ok(text || pictures > 0 || /^<style>|^<div[^>]*><\/div>$/.test(html) || !html, `${where}: ${type} shows something`);
  }
  assert.deepEqual(refused, [], 'nothing is refused by the policy');
  assert.deepEqual(requested, [], 'nothing is fetched');
  await page.screenshot({ path: outFile(`vscode-${name}.png`), fullPage: true });
  assert.deepEqual(await faintTexts(page, '.output', 4.5, 3), [], `text has contrast: ${name}`);
  assert.deepEqual(await cutElements(page, '.output'), [], `nothing is cut: ${name}`);
  await page.close();
}
