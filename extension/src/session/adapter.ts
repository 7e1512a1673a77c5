/**
 * How the debug adapter is started: dist/adapter.js by the runtime that VS Code brings, so no Node.js is needed beside it.
 */
import * as vscode from 'vscode';

export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  readonly #file: string;

  constructor(context: vscode.ExtensionContext) {
    this.#file = context.asAbsolutePath('dist/adapter.js');
  }

  createDebugAdapterDescriptor(): vscode.DebugAdapterDescriptor {
    // VS Code forks the command "node" by its own runtime.
    return new vscode.DebugAdapterExecutable('node', [this.#file]);
  }
}
