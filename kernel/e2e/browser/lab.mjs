// Starts Chromium and opens notebooks in the JupyterLab that ../run started.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { Notebook, testTimeout } from './notebook.mjs';

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the scenarios with kernel/e2e/run`);
  return value;
}

export const config = {
  url: required('E2E_URL'), // http://127.0.0.1:PORT
  token: required('E2E_TOKEN'),
  folder: required('E2E_NOTEBOOKS'), // the folder that JupyterLab serves
  asUser: required('E2E_AS_USER'), // a program that runs a command where JupyterLab is
  out: required('E2E_OUT'), // the folder for screenshots and exports
  kernelName: required('E2E_KERNEL_NAME'), // the kernel's display name
};

export const chromiumFlags = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-quic', '--no-first-run',
];

/** Calls body with an open notebook. If body fails, it saves a screenshot. */
export async function withNotebook(file, body) {
  mkdirSync(config.out, { recursive: true });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags, timeout: testTimeout });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 1600 }, deviceScaleFactor: 1 })).newPage();
    page.setDefaultTimeout(testTimeout);
    const notebook = new Notebook(page, path.join(config.folder, file));
    try {
      await notebook.open(`${config.url}/lab/workspaces/e2e-${process.pid}/tree/${file}?reset&token=${config.token}`);
      await notebook.kernelReady(config.kernelName);
      await notebook.hideSidebar();
      await body(notebook, page);
    } catch (err) {
      await page.screenshot({ path: path.join(config.out, `failed-${path.basename(file, '.ipynb')}-${process.pid}.png`) })
        .catch(() => {});
      throw err;
    }
  } finally {
    await browser.close();
  }
}

/** Sets the theme in which JupyterLab opens pages: "JupyterLab Light" or "JupyterLab Dark". */
export async function setTheme(theme) {
  const reply = await fetch(`${config.url}/lab/api/settings/@jupyterlab/apputils-extension:themes`, {
    method: 'PUT',
    headers: { Authorization: `token ${config.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ raw: JSON.stringify({ theme }) }),
  });
  if (!reply.ok) throw new Error(`cannot set the theme: ${reply.status} ${await reply.text()}`);
}

/** Returns the names of the committed notebooks whose stored outputs have plots. Copies of them are in the folder untrusted. */
export function committedNotebooks() {
  const folder = path.join(config.folder, 'untrusted');
  return readdirSync(folder).filter((name) => name.endsWith('.ipynb')
    && readFileSync(path.join(folder, name), 'utf8').includes('"image/svg+xml"'));
}

/** Reports whether an output of a notebook file is a plot: a PNG picture that also has a form as SVG or HTML. */
export function isPlot({ data = {} }) {
  return 'image/png' in data && ('image/svg+xml' in data || 'text/html' in data);
}

/** Opens a notebook in a new window of the same browser, or in the given page. */
export async function openTab(page, file, into) {
  const tab = into ?? await page.context().newPage();
  tab.setDefaultTimeout(testTimeout);
  const notebook = new Notebook(tab, path.join(config.folder, file));
  await notebook.open(`${config.url}/lab/workspaces/e2e-${process.pid}-${++tabs}/tree/${file}?reset&token=${config.token}`);
  await notebook.hideSidebar();
  return notebook;
}

let tabs = 0;

/** Returns the path of a file in the folder for screenshots and exports. */
export function outFile(name) {
  mkdirSync(config.out, { recursive: true });
  return path.join(config.out, name);
}
