'use strict';
// See dap.sh. Arguments: a directory with skep and node_modules, and the file for the
// messages.
const [work, log] = process.argv.slice(2);
const {DebugClient} = require(work + '/node_modules/@vscode/debugadapter-testsupport');
const {spawn, execFileSync} = require('child_process');
const assert = require('assert');
const fs = require('fs');

const patience = 60000; // for one thing to happen, on a busy machine
const env = {...process.env, XDG_STATE_HOME: work + '/state', HOME: work};
process.env.XDG_STATE_HOME = env.XDG_STATE_HOME;
process.env.HOME = work;

const app = work + '/app';
const main = app + '/main.py';
const meter = app + '/lib/meter.py';
fs.mkdirSync(app + '/lib', {recursive: true});
fs.writeFileSync(app + '/skep.toml', '[app]\nname = "debugged"\n');
fs.writeFileSync(main, `import time
from meter import Meter

meter = Meter(limit=20)
state = "idle"
for reading in range(3, 30, 7):
    time.sleep(1)
    if meter.add(reading):
        state = "busy"
print("sum", meter.total, state)
`);
fs.writeFileSync(meter, `class Meter:
    def __init__(self, limit):
        self.limit = limit
        self.total = 0

    def add(self, value):
        total = self.total + value
        if total > 2 * self.limit:
            raise ValueError("too much: %d" % total)
        self.total = total
        return total > self.limit
`);
const config = {type: 'skep', request: 'launch', name: 'debug', program: app, clock: 'virtual', cloud: 'off', drm: 'off', net: 'none'};

let checks = 0;
function same(got, want, what) {
  assert.deepStrictEqual(got, want, what);
  checks++;
}

async function stopped(c, action, reason, path, line) {
  const event = c.waitForEvent('stopped', patience);
  await action();
  const {body} = await event;
  same(body.reason, reason);
  const {stackFrames} = (await c.stackTraceRequest({threadId: 1})).body;
  same([stackFrames[0].source.path, stackFrames[0].line], [path, line]);
  return stackFrames;
}

async function value(c, expression, frameId) {
  return (await c.evaluateRequest({expression, frameId, context: 'watch'})).body.result;
}

// session debugs a run, there and back again.
async function session(c) {
  const {body} = await c.initializeRequest({adapterID: 'skep', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path'});
  same(body.supportsStepBack, true);
  const initialized = c.waitForEvent('initialized', patience);
  await c.launchRequest(config);
  await initialized;
  const set = await c.setBreakpointsRequest({source: {path: meter}, breakpoints: [{line: 10, condition: 'value == 10'}]});
  same(set.body.breakpoints.map(b => [b.verified, b.line]), [[true, 10]]);
  await c.setExceptionBreakpointsRequest({filters: ['uncaught']});
  const frames = await stopped(c, () => c.configurationDoneRequest(), 'breakpoint', meter, 10);
  same(frames.map(f => f.name), ['add', '<module>']);
  const scopes = (await c.scopesRequest({frameId: frames[0].id})).body.scopes;
  const locals = (await c.variablesRequest({variablesReference: scopes[0].variablesReference})).body.variables;
  same(locals.map(v => v.name + '=' + v.value.replace(/ at .*/, '>')), ['self=<Meter object>', 'value=10', 'total=13']);
  same(await value(c, '[total, self.limit - total]', frames[0].id), '[13, 7]');
  await stopped(c, () => c.nextRequest({threadId: 1}), 'step', meter, 11);
  await stopped(c, () => c.stepOutRequest({threadId: 1}), 'step', main, 6);
  const raised = await stopped(c, () => c.continueRequest({threadId: 1}), 'exception', meter, 9);
  const info = (await c.exceptionInfoRequest({threadId: 1})).body;
  same([info.exceptionId, info.description, info.breakMode], ['ValueError', 'too much: 54', 'unhandled']);
  // back to the last change of a variable, to the breakpoint, and line by line
  const changed = c.waitForEvent('stopped', patience);
  await c.evaluateRequest({expression: '.last state', frameId: raised[1].id, context: 'repl'});
  await changed;
  const {stackFrames} = (await c.stackTraceRequest({threadId: 1})).body;
  same([stackFrames[0].source.path, stackFrames[0].line], [main, 9]);
  same(await value(c, '(reading, state)', stackFrames[0].id), "(17, 'idle')");
  await stopped(c, () => c.reverseContinueRequest({threadId: 1}), 'breakpoint', meter, 10);
  await stopped(c, () => c.stepBackRequest({threadId: 1}), 'step', meter, 8);
  await stopped(c, () => c.continueRequest({threadId: 1}), 'breakpoint', meter, 10);
  await stopped(c, () => c.continueRequest({threadId: 1}), 'exception', meter, 9);
  const exited = c.waitForEvent('exited', patience), terminated = c.waitForEvent('terminated', patience);
  await c.continueRequest({threadId: 1});
  same((await exited).body.exitCode, 1);
  await terminated;
  await c.disconnectRequest({});
}

async function main_() {
  const piped = new DebugClient(work + '/skep', 'debug', 'skep', {env});
  piped.defaultTimeout = patience;
  await piped.start();
  await session(piped);
  piped.stopAdapter();

  const server = spawn(work + '/skep', ['debug', '--listen', '127.0.0.1:0', '--log', log], {env});
  const port = await new Promise((done, fail) => {
    let text = '';
    server.stderr.on('data', d => {
      text += d;
      const m = /connect to 127\.0\.0\.1:(\d+)/.exec(text);
      if (m) done(+m[1]);
    });
    server.on('exit', code => fail(new Error('skep debug ended: ' + code)));
  });
  for (const _ of [1, 2]) {
    const c = new DebugClient('', '', 'skep');
    c.defaultTimeout = patience;
    await c.start(port);
    await session(c);
    c.stopAdapter();
  }
  server.removeAllListeners('exit');
  server.kill('SIGINT');
  same(await new Promise(done => server.on('exit', done)), 0, 'exit status of an interrupted server');

  // somebody else's bug report
  try {
    execFileSync(work + '/skep', ['run', app, '--clock', 'virtual', '--cloud', 'off', '--drm', 'off', '--record', work + '/bug.skep'], {env, stdio: 'ignore'});
  } catch (e) {
    same(e.status, 1);
  }
  const again = new DebugClient(work + '/skep', 'debug', 'skep', {env});
  again.defaultTimeout = patience;
  await again.start();
  await again.initializeRequest({adapterID: 'skep', linesStartAt1: true});
  const initialized = again.waitForEvent('initialized', patience);
  await again.launchRequest({request: 'launch', replay: work + '/bug.skep', program: app});
  await initialized;
  await again.setExceptionBreakpointsRequest({filters: ['uncaught']});
  await stopped(again, () => again.configurationDoneRequest(), 'exception', meter, 9);
  await stopped(again, () => again.stepBackRequest({threadId: 1}), 'step', meter, 9);
  await stopped(again, () => again.stepBackRequest({threadId: 1}), 'step', meter, 8);
  await again.disconnectRequest({});
  again.stopAdapter();
  console.log(`dap: ${checks} checks passed`);
}

process.exitCode = 1; // unless all was done
main_().then(() => process.exit(0), e => {
  console.error(e);
  process.exit(1);
});
