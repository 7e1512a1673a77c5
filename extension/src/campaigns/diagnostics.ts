/**
 * What is wrong with the campaign files that are open, at their lines: as the command says it. Completion is by the schema, where the editor has
 * support for YAML.
 */
import * as vscode from 'vscode';
import { messageOf } from '../platform/errors.js';
import { type Campaigns, isCampaignFile } from './campaigns.js';

export function diagnoseCampaigns(campaigns: Campaigns, log: vscode.LogOutputChannel): vscode.Disposable {
  const found = vscode.languages.createDiagnosticCollection('cairn');
  const look = async (document: vscode.TextDocument): Promise<void> => {
    if (!isCampaign(document)) return;
    try {
      const { problems } = await campaigns.check(document.fileName);
      found.set(
        document.uri,
        problems.map(({ line, message }) => diagnostic(document, line, message)),
      );
    } catch (error) {
      log.warn(`${document.fileName}: ${messageOf(error)}`);
    }
  };
  for (const document of vscode.workspace.textDocuments) void look(document);
  return vscode.Disposable.from(
    found,
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidSaveTextDocument(async (document) => {
      await look(document);
      // Who follows its results may know only now where they are.
      if (isCampaign(document)) campaigns.saved(document.fileName);
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => found.delete(uri)),
  );
}

const isCampaign = ({ uri, fileName }: vscode.TextDocument): boolean => uri.scheme === 'file' && isCampaignFile(fileName);

function diagnostic(document: vscode.TextDocument, line: number, message: string): vscode.Diagnostic {
  const { range, firstNonWhitespaceCharacterIndex } = document.lineAt(Math.min(Math.max(line - 1, 0), document.lineCount - 1));
  const place = new vscode.Range(range.start.line, firstNonWhitespaceCharacterIndex, range.end.line, range.end.character);
  const one = new vscode.Diagnostic(place, message, vscode.DiagnosticSeverity.Error);
  one.source = 'cairn';
  return one;
}
