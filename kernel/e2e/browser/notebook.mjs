// A notebook in JupyterLab 4, driven by what a person sees: menus, keys and rendered outputs.
// Class names are those of JupyterLab 4.0 to 4.4.
import { readFileSync } from 'node:fs';

const cellSelector = '.jp-Notebook .jp-Cell';
const errorSelector = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]';
// A cold kernel builds caches on its first cells; this only guards against a hang, and is the page's
// own timeout.
export const testTimeout = Number(process.env.E2E_TEST_TIMEOUT ?? 300_000);

export class Notebook {
  /** file is the notebook's path on disk; its cells are the page's cells, in order. */
  constructor(page, file) {
    this.page = page;
    this.file = file;
  }

  saved() {
    return JSON.parse(readFileSync(this.file, 'utf8'));
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.locator(cellSelector).first().waitFor();
    const count = this.saved().cells.length;
    await this.page.waitForFunction(
      ([selector, n]) => document.querySelectorAll(selector).length === n, [cellSelector, count]);
  }

  async kernelReady(displayName) {
    await this.page.locator('.jp-Toolbar-kernelName', { hasText: displayName }).waitFor();
    await this.idle();
  }

  /** Hides the file browser, so that screenshots show the notebook. */
  async hideSidebar() {
    const sidebar = this.page.locator('#jp-left-stack');
    if (await sidebar.isVisible()) {
      await this.page.keyboard.press('Control+B');
      await sidebar.waitFor({ state: 'hidden' });
    }
  }

  async idle() {
    await this.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor();
  }

  async busy() {
    await this.page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').waitFor();
  }

  /** Chooses an entry of the menu bar by JupyterLab's command behind it. */
  async menu(title, command) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: new RegExp(`^${title}$`) }).click();
    await this.page.locator(`.lm-Menu-item[data-command="${command}"]`).click();
  }

  async acceptDialog() {
    await this.page.locator('.jp-Dialog .jp-mod-accept').click();
    await this.page.locator('.jp-Dialog').waitFor({ state: 'detached' });
  }

  /** Run All Cells; returns when each code cell has its new execution count, or throws at the first error. */
  async runAll() {
    // A stored notebook has counts of another kernel: they would pass for new ones.
    await this.menu('Edit', 'editmenu:clear-all');
    await this.menu('Run', 'runmenu:run-all');
    await this.finished(0);
  }

  async restart() {
    await this.menu('Kernel', 'kernelmenu:restart');
    await this.acceptDialog();
    await this.idle();
  }

  async interrupt() {
    await this.menu('Kernel', 'kernelmenu:interrupt');
  }

  /** Shift+Enter in cell index, as a person would; returns at once. */
  async start(index) {
    await this.cell(index).locator('.cm-content').click();
    await this.page.keyboard.press('Shift+Enter');
  }

  /** Shift+Enter in cell index; returns its rendered text when it ended, well or not. */
  async run(index) {
    const before = await this.count(index);
    await this.start(index);
    await this.cellFinished(index, before);
    return this.text(index);
  }

  /** Replaces the text of a cell by typing. */
  async type(index, text) {
    await this.cell(index).locator('.cm-content').click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    // insertText is one input event, as of a paste: no bracket is closed by the editor.
    await this.page.keyboard.insertText(text);
  }

  async save() {
    await this.page.keyboard.press('Control+S');
    await this.page.waitForFunction(() => !document.querySelector('.jp-mod-dirty'));
  }

  cell(index) {
    return this.page.locator(cellSelector).nth(index);
  }

  outputs(index) {
    return this.cell(index).locator('.jp-OutputArea-output');
  }

  /** The rendered text of all outputs of a cell. */
  async text(index) {
    return (await this.outputs(index).allInnerTexts()).join('\n');
  }

  /** Indexes of the cells whose rendered outputs contain the pattern. */
  async cellsShowing(pattern) {
    const found = [];
    const n = await this.page.locator(cellSelector).count();
    for (let i = 0; i < n; i++) {
      if (pattern.test(await this.text(i))) found.push(i);
    }
    return found;
  }

  /** Index of the cell with a tag, from the file: JupyterLab shows no tags beside cells. */
  tagged(tag) {
    const index = this.saved().cells.findIndex((cell) => cell.metadata?.tags?.includes(tag));
    if (index < 0) throw new Error(`${this.file} has no cell tagged ${tag}`);
    return index;
  }

  source(index) {
    const { source } = this.saved().cells[index];
    return Array.isArray(source) ? source.join('') : source;
  }

  /** Execution count in the prompt of a cell; 0 where there is none, NaN while it runs. */
  async count(index) {
    return promptCount(await this.cell(index).locator('.jp-InputPrompt').first().innerText());
  }

  async cellFinished(index, before) {
    await this.page.waitForFunction(([selector, i, old]) => {
      const prompt = document.querySelectorAll(selector)[i].querySelector('.jp-InputPrompt').innerText;
      const count = Number(/\[(\d+)\]/.exec(prompt)?.[1]);
      return count > 0 && count !== old;
    }, [cellSelector, index, before]);
    await this.idle();
  }

  async lastCount() {
    const prompts = await this.page.locator(`${cellSelector}.jp-CodeCell .jp-InputPrompt`).allInnerTexts();
    return Math.max(0, ...prompts.map(promptCount).filter((n) => !Number.isNaN(n)));
  }

  // Waits until all code cells have counts above before, in ascending order.
  async finished(before) {
    const result = await this.page
      .waitForFunction(notebookResult, [cellSelector, errorSelector, before])
      .catch(async (err) => {
        const prompts = await this.page.locator(`${cellSelector}.jp-CodeCell .jp-InputPrompt`).allInnerTexts();
        throw new Error(`the cells did not finish, their prompts are ${prompts.join(' ')}`, { cause: err });
      });
    const failure = await result.jsonValue();
    if (failure !== 'done') throw new Error(failure);
    await this.idle();
  }
}

// Runs in the page. Returns "done", what went wrong, or false while cells run.
function notebookResult([cellSelector, errorSelector, before]) {
  const error = document.querySelector(errorSelector);
  if (error) return `a cell failed:\n${error.innerText}`;
  const dialog = document.querySelector('.jp-Dialog');
  if (dialog) return `JupyterLab asks:\n${dialog.innerText}`;
  let last = before;
  for (const cell of document.querySelectorAll(`${cellSelector}.jp-CodeCell`)) {
    const count = Number(/\[(\d+)\]/.exec(cell.querySelector('.jp-InputPrompt').innerText)?.[1]);
    if (!(count > last)) return false;
    last = count;
  }
  return 'done';
}

function promptCount(prompt) {
  if (/\[\*\]/.test(prompt)) return NaN;
  return Number(/\[(\d+)\]/.exec(prompt)?.[1] ?? 0);
}
