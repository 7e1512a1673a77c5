/**
 * A webview view and its page from dist/webview: content security policy, the typed bridge, and the last model, which a page
 * that was hidden and destroyed gets again as soon as it says that it listens.
 */

import * as vscode from 'vscode';
import { FromPanel, type ToPanel } from '../../../debug-adapter/src/protocol/panels.js';
import { webviewFolder, webviewPage } from './webviewPage.js';

export class PanelHost implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #folder: vscode.Uri;
  readonly #name: ToPanel['panel'];
  readonly #message = new vscode.EventEmitter<FromPanel>();
  readonly onDidReceive = this.#message.event;
  readonly #shown = new vscode.EventEmitter<void>();
  /** The page can be seen now: its model should be up to date. */
  readonly onDidShow = this.#shown.event;
  readonly #registration: vscode.Disposable;
  #view: vscode.WebviewView | undefined;
  #ready = false;
  #model: ToPanel | undefined;

  constructor(context: vscode.ExtensionContext, name: ToPanel['panel']) {
    this.#folder = webviewFolder(context);
    this.#name = name;
    this.#registration = vscode.window.registerWebviewViewProvider(`cairn.${name}`, this);
  }

  get visible(): boolean {
    return this.#view?.visible ?? false;
  }

  post(model: ToPanel): void {
    this.#model = model;
    if (this.#ready && this.#view) void this.#view.webview.postMessage(model);
  }

  async resolveWebviewView(view: vscode.WebviewView): Promise<void> {
    this.#view = view;
    this.#ready = false;
    const { webview } = view;
    webview.options = { enableScripts: true, localResourceRoots: [this.#folder] };
    webview.onDidReceiveMessage((raw: unknown) => this.#received(raw));
    view.onDidChangeVisibility(() => view.visible && this.#shown.fire());
    view.onDidDispose(() => {
      this.#view = undefined;
      this.#ready = false;
    });
    webview.html = await webviewPage(webview, this.#folder, this.#name, view.title ?? '');
  }

  #received(raw: unknown): void {
    const message = FromPanel.parse(raw);
    if (message.type === 'ready') {
      this.#ready = true;
      this.#shown.fire();
      if (this.#model) this.post(this.#model);
    } else this.#message.fire(message);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#message.dispose();
    this.#shown.dispose();
  }
}
