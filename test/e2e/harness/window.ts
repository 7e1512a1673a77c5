/**
 * One window of the workbench, as a user sees it: names of things on the screen in, what is on the screen out. Knows VS Code's
 * selectors and nothing of Cairn.
 */
import type { Frame, Locator, Page } from 'playwright-core';
import { defaultDeadlineMs, until } from './until.js';

type Name = string | RegExp;

export class Window {
  constructor(
    readonly page: Page,
    private readonly address: string,
  ) {}

  /** Opens the window, or reloads it. */
  async open(): Promise<void> {
    await this.page.goto(this.address, { waitUntil: 'domcontentloaded' });
    await until('the workbench has started', () =>
      this.page.evaluate(() => performance.getEntriesByName('code/didStartWorkbench').length > 0).catch(() => false),
    );
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  private input(): Locator {
    return this.page.locator('.quick-input-widget input[type=text]');
  }

  private rows(): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row');
  }

  /**
   * Runs a command by its title in the palette, for example "Cairn: Checkpoint". The palette closes when something else takes the
   * focus, as a panel does that has just been drawn; and it lists what was contributed when it was opened, which right after a window
   * did is not all. In both cases it is opened once more.
   */
  async command(title: string): Promise<void> {
    let problem: unknown;
    for (let look = 0; look < 4; look++) {
      await this.page.keyboard.press('F1');
      try {
        return await this.pick(title, `>${title}`, defaultDeadlineMs / 4);
      } catch (error) {
        problem = error;
        await this.page.keyboard.press('Escape');
      }
    }
    throw problem;
  }

  /** In an open quick pick, chooses the entry that begins with `label`. */
  async pick(label: string, typed = label, timeout = defaultDeadlineMs): Promise<void> {
    await this.input().fill(typed, { timeout });
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first().click({ timeout });
  }

  /** Presses a key chord of a keybinding, for example Control+Alt+C. */
  async press(chord: string): Promise<void> {
    await this.page.keyboard.press(chord);
  }

  /** Answers an open input box. */
  async answer(text: string): Promise<void> {
    await this.input().waitFor();
    await this.input().fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Names a file in the workbench's own dialog, which fills in the folder when it has read it. */
  async chooseFile(path: string): Promise<void> {
    await this.rows().first().waitFor();
    await this.answer(path);
  }

  /** The texts of the entries of an open quick pick. */
  async choices(): Promise<string[]> {
    await this.rows().first().waitFor();
    return this.rows().allInnerTexts();
  }

  /** Presses F5 when Run and Debug shows that launch configuration as chosen: the first one, as long as none was started. */
  async f5(configuration: string): Promise<void> {
    await this.showContainer(/Run and Debug/);
    const choice = this.page.getByRole('button', { name: /^Debug Launch Configurations/ });
    await until(`${configuration} is chosen`, async () => (await choice.getAttribute('aria-label'))?.endsWith(configuration));
    await this.page.keyboard.press('F5');
  }

  /** Starts a launch configuration by its name. */
  async launch(configuration: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    await this.input().waitFor();
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: configuration }).first();
    // The list is made once for what is typed; right after the window opened, configurations are not known yet.
    await until(`the launch configuration ${configuration} is offered`, async () => {
      await this.input().fill('debug ');
      await this.input().fill(`debug ${configuration}`);
      return row.waitFor({ timeout: 1_000 }).then(
        () => true,
        () => false,
      );
    });
    await this.page.keyboard.press('Enter');
  }

  // --- parts of the window ----------------------------------------------------------------------------------------

  /** Shows a view container of the activity bar. */
  async showContainer(name: Name): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name });
    await tab.waitFor();
    if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
    await until(`view container ${String(name)} is shown`, async () => (await tab.getAttribute('aria-selected')) === 'true');
  }

  /** Drags the edge of the side bar, as one does who wants to read all of a row. */
  async widenSideBar(width: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (!box) throw new Error('no side bar is shown');
    const middle = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width, middle);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, middle, { steps: 4 });
    await this.page.mouse.up();
    await this.page.mouse.move(box.x + 2 * width, middle);
    await this.page.locator('.monaco-sash:is(.active, .hover)').waitFor({ state: 'detached' });
  }

  /** A row of any tree that is shown. */
  row(name: Name): Locator {
    return this.page.getByRole('treeitem', { name });
  }

  /** A tree by the name of its view. */
  tree(name: Name): Locator {
    return this.page.getByRole('tree', { name });
  }

  /** Clicks a button that a row of a tree shows while the pointer is on it. */
  async rowAction(name: Name, action: Name): Promise<void> {
    const row = this.row(name).first();
    await row.waitFor();
    await row.hover();
    await row.getByRole('button', { name: action }).click();
  }

  /** Chooses an entry of a row's context menu: by the keyboard, as a menu that has just opened does not take clicks. */
  async rowMenu(name: Name, entry: Name): Promise<void> {
    const row = this.row(name).first();
    await row.waitFor();
    await row.click({ button: 'right' });
    const item = this.page.locator('.monaco-menu').getByRole('menuitem', { name: entry });
    await item.hover();
    await this.page.keyboard.press('Enter');
    await item.waitFor({ state: 'detached' });
  }

  /** The button of a view's title. */
  async viewAction(view: string, action: Name): Promise<void> {
    const pane = this.page.locator('.pane', { has: this.page.locator(`.pane-header[aria-label^="${view}"]`) });
    await pane.hover();
    await pane.locator('.pane-header').getByRole('button', { name: action }).click();
  }

  /** An item of the status bar; `id` is publisher.extension.item. */
  status(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** A toast that holds `text`. */
  toast(text: Name): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** The dialog in the middle of the window; its buttons by role. */
  dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  // --- debugging --------------------------------------------------------------------------------------------------

  debugButton(name: Name): Locator {
    return this.page.locator('.debug-toolbar').getByRole('button', { name });
  }

  /** Call stack: processes and threads. */
  callStack(): Locator {
    return this.page.locator('.debug-call-stack .monaco-list-row');
  }

  /** A row of the Variables view; VS Code names it "name, value VALUE" or, for a scope, "Scope NAME". */
  variable(name: Name): Locator {
    return this.page.getByRole('tree', { name: 'Debug Variables' }).getByRole('treeitem', { name });
  }

  /** Scrolls down in the Variables view until a row is there: rows beyond the view's height do not exist. */
  async reachVariable(name: Name): Promise<Locator> {
    const row = this.variable(name).first();
    await this.page.getByRole('tree', { name: 'Debug Variables' }).hover();
    await until(`variable ${String(name)} is there`, async () => {
      if ((await row.count()) > 0) return true;
      await this.page.mouse.wheel(0, 100);
      return false;
    });
    return row;
  }

  async expandVariable(name: Name): Promise<void> {
    const row = this.variable(name).first();
    await row.waitFor();
    const is = async () => (await row.getAttribute('aria-expanded')) === 'true';
    if (await is()) return;
    await row.click();
    if (!(await is())) await this.page.keyboard.press('ArrowRight');
    await until(`variable ${String(name)} is expanded`, is);
  }

  /** Closes all rows of the Variables view, so that the scopes can be seen again. */
  async closeVariables(): Promise<void> {
    await this.viewAction('Variables', /^Collapse All/);
    await until('all variables are closed', async () => (await this.variable(/, value /).count()) === 0);
  }

  // --- webviews ---------------------------------------------------------------------------------------------------

  /** The frame of the panel that holds an element for `selector`. */
  webview(selector: string, deadlineMs = defaultDeadlineMs): Promise<Frame> {
    return until(
      `a panel with ${selector}`,
      async () => {
        for (const frame of this.page.frames()) {
          // A frame may go away while it is asked.
          const count = await frame
            .locator(selector)
            .count()
            .catch(() => 0);
          if (count > 0) return frame;
        }
        return undefined;
      },
      { deadlineMs },
    );
  }

  // --- terminal ---------------------------------------------------------------------------------------------------

  /** All that the active terminal holds, scrollback too; rows that it wrapped are joined again. */
  terminalText(): Promise<string> {
    return this.page.evaluate(() => {
      interface Line {
        isWrapped: boolean;
        translateToString(trimRight: boolean): string;
      }
      interface Terminal {
        buffer: { active: { length: number; getLine(index: number): Line | undefined } };
      }
      const wrapper = document.querySelector<Element & { xterm?: Terminal }>('.terminal-wrapper.active');
      const buffer = wrapper?.xterm?.buffer.active;
      let text = '';
      for (let index = 0; buffer && index < buffer.length; ++index) {
        const line = buffer.getLine(index);
        const next = buffer.getLine(index + 1);
        text += line?.translateToString(!next?.isWrapped) ?? '';
        if (!next?.isWrapped) text += '\n';
      }
      return text.trimEnd();
    });
  }

  /** Waits until the active terminal holds `pattern`, and returns all its text. */
  async terminalHas(pattern: RegExp, deadlineMs = defaultDeadlineMs): Promise<string> {
    await until(`the terminal shows ${pattern}`, async () => pattern.test(await this.terminalText()), {
      deadlineMs,
      state: () => this.terminalText(),
    });
    return this.terminalText();
  }

  async terminalType(text: string): Promise<void> {
    await this.page.evaluate((input) => {
      const wrapper = document.querySelector<Element & { xterm?: { input(data: string): void } }>('.terminal-wrapper.active');
      if (!wrapper?.xterm) throw new Error('no terminal is active');
      wrapper.xterm.input(input);
    }, text);
  }
}
