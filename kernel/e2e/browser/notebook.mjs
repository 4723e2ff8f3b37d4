// A notebook in JupyterLab 4, operated as a user does: with menus, keys and rendered outputs. The class names are those
// of JupyterLab 4.0 to 4.4.
import { readFileSync } from 'node:fs';

const cellSelector = '.jp-Notebook .jp-Cell';
const errorSelector = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]';
// testTimeout is the maximum time of each step, in ms. It only ends tests that hang: a new kernel builds caches during
// its first cells.
export const testTimeout = Number(process.env.E2E_TEST_TIMEOUT ?? 300_000);

export class Notebook {
  /** file is the notebook's path on disk. It has the same cells as the page, in the same order. */
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

  /** Chooses an entry of the menu bar. command is the JupyterLab command that the entry executes. */
  async menu(title, command) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: new RegExp(`^${title}$`) }).click();
    await this.page.locator(`.lm-Menu-item[data-command="${command}"]`).click();
  }

  async acceptDialog() {
    await this.page.locator('.jp-Dialog .jp-mod-accept').click();
    await this.page.locator('.jp-Dialog').waitFor({ state: 'detached' });
  }

  /** Chooses Run All Cells. Returns when each code cell has its new execution count, or throws at the first error. */
  async runAll() {
    // A stored notebook has the counts of an earlier kernel, which could be mistaken for new ones.
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

  /** Presses Shift+Enter in the cell index, and does not wait for the cell. */
  async start(index) {
    await this.cell(index).locator('.cm-content').click();
    await this.page.keyboard.press('Shift+Enter');
  }

  /** Presses Shift+Enter in the cell index, waits until the cell has ended or failed, and returns its rendered text. */
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
    // insertText makes one input event, as pasting does, so that the editor closes no brackets.
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

  /** Returns the rendered text of all outputs of a cell. */
  async text(index) {
    return (await this.outputs(index).allInnerTexts()).join('\n');
  }

  /** Returns the indexes of the cells whose rendered outputs contain the pattern. */
  async cellsShowing(pattern) {
    const found = [];
    const n = await this.page.locator(cellSelector).count();
    for (let i = 0; i < n; i++) {
      if (pattern.test(await this.text(i))) found.push(i);
    }
    return found;
  }

  /** Returns the index of the cell with a tag. It reads the tags from the file, since the page does not show them. */
  tagged(tag) {
    const index = this.saved().cells.findIndex((cell) => cell.metadata?.tags?.includes(tag));
    if (index < 0) throw new Error(`${this.file} has no cell tagged ${tag}`);
    return index;
  }

  source(index) {
    const { source } = this.saved().cells[index];
    return Array.isArray(source) ? source.join('') : source;
  }

  /** Returns the execution count in the prompt of a cell: 0 if it has none, NaN while the cell runs. */
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

  // Waits until all code cells have execution counts greater than before, in ascending order.
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

// Runs in the page. Returns "done" if all cells have ended, false while cells run, or a text about a failure.
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
