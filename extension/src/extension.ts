/**
 * Composition root of the extension: makes the parts, ties them together, registers commands. No logic.
 */
import * as vscode from 'vscode';
import { Campaigns } from './campaigns/campaigns.js';
import { diagnoseCampaigns } from './campaigns/diagnostics.js';
import { CampaignTests } from './campaigns/testing.js';
import { attachToProcess, pickProcess } from './commands/attachProcess.js';
import { campaignActions, campaignCommands } from './commands/campaignCommands.js';
import { faultCommands } from './commands/faultCommands.js';
import { Restarts } from './commands/restart.js';
import { SessionCommands } from './commands/sessionCommands.js';
import { SignalCommands } from './commands/signalCommands.js';
import { SnapshotCommands } from './commands/snapshotCommands.js';
import { registerViewCommands } from './commands/viewCommands.js';
import { provideHovers } from './hdl/hover.js';
import { Instances } from './hdl/instances.js';
import { CairnCommand } from './platform/cairnCommand.js';
import { messageOf, reporting } from './platform/errors.js';
import { AdapterFactory } from './session/adapter.js';
import { ConfigurationProvider } from './session/configurations.js';
import { followContext } from './session/contextKeys.js';
import { CurrentSession } from './session/current.js';
import { DebugSessions } from './session/debugSessions.js';
import { LiveSessions } from './session/liveSessions.js';
import { PluginLibraries } from './session/pluginLibraries.js';
import { ProfileStore } from './session/pluginProfiles.js';
import { RuntimeFolder } from './session/runtimeFolder.js';
import { Snapshots } from './session/snapshots.js';
import { Stores } from './session/stores.js';
import { provideCommand } from './session/terminalCommand.js';
import { Terminals } from './session/terminals.js';
import { BarriersPanel } from './views/barriersPanel.js';
import { CampaignPanels } from './views/campaignPanel.js';
import { ComputationTreeView } from './views/computationTree.js';
import { FaultsPanels } from './views/faultsPanel.js';
import { NamesPanel } from './views/namesPanel.js';
import { elementOf } from './views/nodes.js';
import { PanelHost } from './views/panelHost.js';
import { PluginsPanel } from './views/pluginsPanel.js';
import { SnapshotTreeView } from './views/snapshotTree.js';
import { StatusBar } from './views/statusBar.js';
import { TimeStatus } from './views/timeStatus.js';

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Cairn', { log: true });
  const cairn = new CairnCommand(context, log);
  const stores = new Stores(context.workspaceState);
  const runtime = new RuntimeFolder();
  const sessions = new LiveSessions(stores, runtime, cairn, log);
  const snapshots = new Snapshots(stores, cairn);
  const terminals = new Terminals(sessions, log);
  const debug = new DebugSessions(sessions, context.workspaceState);
  const current = new CurrentSession(sessions, debug);
  const tree = new SnapshotTreeView(snapshots, sessions);
  const computation = new ComputationTreeView(sessions);
  const barriersHost = new PanelHost(context, 'barriers');
  const namesHost = new PanelHost(context, 'names');
  const names = new NamesPanel(namesHost, sessions, snapshots, cairn);
  const barriers = new BarriersPanel(barriersHost, current, sessions, debug, cairn);
  const libraries = new PluginLibraries(cairn);
  const profiles = new ProfileStore();
  const pluginsHost = new PanelHost(context, 'plugins');
  const plugins = new PluginsPanel(pluginsHost, profiles, libraries, sessions, context.workspaceState, log);
  const campaigns = new Campaigns(cairn);
  const campaignDoes = campaignActions(campaigns);
  const campaignPanels = new CampaignPanels(context, campaigns, campaignDoes, log);
  const faultsPanels = new FaultsPanels(context, {
    campaigns,
    snapshots,
    actions: campaignDoes,
    showResults: (file) => campaignPanels.show(file),
    log,
  });
  const statusBar = new StatusBar(current, sessions, debug);
  context.subscriptions.push(
    log,
    stores,
    runtime,
    sessions,
    snapshots,
    terminals,
    debug,
    tree,
    computation,
    barriersHost,
    namesHost,
    names,
    barriers,
    profiles,
    pluginsHost,
    plugins,
    statusBar,
    campaigns,
    campaignPanels,
    faultsPanels,
    new CampaignTests(campaigns, (file, number) => campaignDoes.repeat(file, number), log),
    diagnoseCampaigns(campaigns, log),
    new TimeStatus(current, sessions, debug, log),
    provideHovers(current, new Instances(), log),
    vscode.debug.registerDebugAdapterDescriptorFactory('cairn', new AdapterFactory(context)),
    vscode.debug.registerDebugConfigurationProvider('cairn', new ConfigurationProvider(libraries)),
    followContext(sessions, snapshots, current, debug),
    provideCommand(context),
    tree.onDidSelect((node) => {
      names.follow(node);
      barriers.follow(node);
      plugins.follow(node);
    }),
    computation.view.onDidChangeSelection(({ selection }) => names.follow(selection[0])),
    sessions.onDidSnapshot(({ store, folder }) => void snapshots.announce(store, folder)),
    registerViewCommands(current, snapshots),
    vscode.commands.registerCommand('cairn.pickProcess', () => pickProcess(sessions)),
  );

  const commands = {
    'cairn.attachProcess': (_node?: unknown, _nodes?: unknown) => attachToProcess(sessions),
    ...new SessionCommands({ sessions, current, debug, snapshots, tree, terminals }).all(),
    ...new SignalCommands(current).all(),
    ...campaignCommands(campaigns, campaignPanels, campaignDoes),
    ...faultCommands(faultsPanels, snapshots),
    ...new SnapshotCommands(snapshots, tree, cairn, new Restarts(cairn, sessions)).all(),
  };
  const contributed = (context.extension.packageJSON as { contributes: { commands: { command: string; title: string }[] } })
    .contributes;
  const titles = new Map(contributed.commands.map(({ command, title }) => [command, title.replace(/…$/, '')]));
  for (const [id, run] of Object.entries(commands)) {
    const title = titles.get(id) ?? 'Cairn';
    context.subscriptions.push(
      vscode.commands.registerCommand(id, (...args: unknown[]) => reporting(log, title, () => run(elementOf(args), args[1]))),
    );
  }

  void reporting(log, 'Cairn', async () => {
    runtime.watch();
    await Promise.all([snapshots.refresh(), sessions.scan()]);
    terminals.rejoining = false;
    await debug.rejoin();
  }).finally(() => log.info('ready'));
  context.subscriptions.push(
    stores.onDidChange(() => void sessions.scan().catch((error: unknown) => log.warn(messageOf(error)))),
  );
}
