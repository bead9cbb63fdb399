'use strict';
// Starts skep debug for VS Code, which speaks the rest of it by itself.
const vscode = require('vscode');

exports.activate = context => context.subscriptions.push(
  vscode.debug.registerDebugAdapterDescriptorFactory('skep', {
    createDebugAdapterDescriptor: session => {
      const path = vscode.workspace.getConfiguration('skep', session.workspaceFolder).get('path') || 'skep';
      const cwd = session.workspaceFolder && session.workspaceFolder.uri.fsPath;
      return new vscode.DebugAdapterExecutable(path, ['debug'], cwd ? {cwd} : undefined);
    },
  }),
  // F5 without a launch.json.
  vscode.debug.registerDebugConfigurationProvider('skep', {
    resolveDebugConfiguration: (folder, config) => config.type || !folder ? config : {
      type: 'skep', request: 'launch', name: 'Debug on a virtual module', program: folder.uri.fsPath, clock: 'virtual',
    },
  }),
  // In the menu of a variable. Its container says where it is.
  vscode.commands.registerCommand('skep.lastChange', async ({container, variable}) => {
    const session = vscode.debug.activeDebugSession;
    if (!session || session.type !== 'skep') return;
    try {
      await session.customRequest('skep/lastChange', {name: variable.name, variablesReference: container.variablesReference});
    } catch (e) {
      vscode.window.showErrorMessage(e.message);
    }
  }),
);
