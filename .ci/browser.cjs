'use strict';
// See browser.sh. Arguments: a directory with skep and node_modules, the browser, and
// where pictures go, if anywhere.
const [work, chromium, pictures] = process.argv.slice(2);
const {chromium: driver} = require(work + '/node_modules/playwright-core');
const {spawn, execFileSync} = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const tls = require('tls');
const path = require('path');

const patience = 60000; // for one thing to appear, on a busy machine
const env = {...process.env, XDG_STATE_HOME: work + '/state', HOME: work};
const skep = (...args) => execFileSync(work + '/skep', args, {cwd: work, env, encoding: 'utf8'});

let checks = 0;
function check(ok, what) {
  if (!ok) throw new Error(what);
  checks++;
}

const freePorts = n => Promise.all(Array.from({length: n}, () => new Promise((done, fail) => {
  const s = net.createServer().on('error', fail).listen(0, '127.0.0.1', () => done(s));
}))).then(list => Promise.all(list.map(s => new Promise(done => {
  const {port} = s.address();
  s.close(() => done(port));
}))));

// A client of MQTT 3.1.1, as small as a test needs it.
const text = s => Buffer.concat([Buffer.from([s.length >> 8, s.length & 255]), Buffer.from(s)]);
function packet(kind, ...parts) {
  const body = Buffer.concat(parts);
  const head = [kind];
  let n = body.length;
  do {
    head.push(n > 127 ? n & 127 | 128 : n);
    n >>= 7;
  } while (n);
  return Buffer.concat([Buffer.from(head), body]);
}
function mqtt(port, dir, id) {
  return new Promise((done, fail) => {
    const read = f => fs.readFileSync(path.join(work, dir, f));
    const s = tls.connect({host: '127.0.0.1', port, ca: read('aws.ca'), cert: read('aws.crt'), key: read('aws.key'), servername: 'x-ats.iot.us-east-1.amazonaws.com'});
    s.on('error', fail);
    s.on('secureConnect', () => s.write(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 60]), text(id))));
    s.once('data', d => d[0] === 0x20 && d[3] === 0 ? done({
      publish: (topic, payload) => s.write(packet(0x30, text(topic), Buffer.from(payload))),
      vanish: () => s.destroy(),
    }) : fail(new Error('CONNACK ' + d.toString('hex'))));
  });
}

// get asks the page's server as anybody can, with headers of one's own.
const get = (url, headers) => new Promise((done, fail) => {
  http.get(url, {headers}, r => { r.resume(); r.on('end', () => done(r.statusCode)); }).on('error', fail);
});

async function main() {
  fs.writeFileSync(work + '/own.json', JSON.stringify({Version: '2012-10-17', Statement: [
    {Effect: 'Allow', Action: 'iot:Connect', Resource: 'arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}'},
    {Effect: 'Allow', Action: ['iot:Publish'], Resource: ['arn:aws:iot:*:*:topic/site/${iot:Connection.Thing.ThingName}/*', 'arn:aws:iot:*:*:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*']},
  ]}));
  skep('cloud', 'policy', 'put', 'own.json');
  skep('cloud', 'type', 'create', 'tracker');
  for (const [i, name] of ['greenhouse-1', 'greenhouse-2', 'pump-3'].entries()) {
    skep('cloud', 'thing', 'create', name, '--type', 'tracker', '--attribute', 'site=' + ['north', 'south', 'yard'][i]);
    skep('cloud', 'cert', 'create', 'cert' + i, '--thing', name, '--policy', 'own', '--ec');
  }
  skep('cloud', 'cert', 'create', 'spare', '--inactive', '--ec');

  const [mqttPort, httpsPort, port443, webPort] = await freePorts(4);
  const cloud = spawn(work + '/skep', ['cloud', '--mqtt', mqttPort, '--https', httpsPort, '--port-443', port443, '--web=127.0.0.1:' + webPort], {env});
  let log = '';
  const ended = new Promise(done => cloud.on('exit', done));
  const url = await new Promise((done, fail) => {
    cloud.stderr.on('data', d => {
      log += d;
      const m = /page: (\S+)/.exec(log);
      if (m && log.includes('AWS IoT on')) done(m[1]);
    });
    cloud.on('exit', () => fail(new Error('skep cloud has ended: ' + log)));
  });

  const browser = await driver.launch({executablePath: chromium, args: ['--no-sandbox', '--disable-gpu']});
  try {
    const page = await browser.newPage({viewport: {width: 1440, height: 1060}});
    page.setDefaultTimeout(patience);
    const wrong = [];
    page.on('pageerror', e => wrong.push(String(e)));
    page.on('console', m => { if (m.type() === 'error') wrong.push(m.text()); });
    const picture = name => pictures && page.screenshot({path: path.join(pictures, name + '.png')});
    const see = async (selector, what) => {
      await page.locator(selector).first().waitFor({state: 'visible'});
      if (what) await page.locator(selector, {hasText: what}).first().waitFor({state: 'visible'});
      checks++;
    };

    await page.goto(url);
    check(!page.url().includes('token'), 'the token stays in the address: ' + page.url());
    await see('#live.good', 'live');
    await see('#things li[data-thing="pump-3"]', 'site=yard');
    check(await page.locator('#certs li').count() === 4, 'not four certificates');
    await see('#certs .chip', 'INACTIVE');
    await picture('1-quiet');

    // A client connects.
    const one = await mqtt(mqttPort, 'cert0', 'greenhouse-1');
    await see('#clients li[data-client="greenhouse-1"][data-connected="true"]', 'connected');
    await see('#events tr[data-kind="connected"][data-client="greenhouse-1"]');

    // Its shadow: reported first, then desired differs, then it follows.
    const shadow = '$aws/things/greenhouse-1/shadow/update';
    one.publish(shadow, JSON.stringify({state: {reported: {temperature: 21.5, vents: {left: 'closed', right: 'closed'}, firmware: 'x17'}}}));
    await see('#shadow tr[data-path="vents.left"]', 'reported only');
    one.publish(shadow, JSON.stringify({state: {desired: {vents: {left: 'open'}, interval: 60}}}));
    await see('#shadow tr[data-path="vents.left"].delta', '"open"');
    await see('#shadow tr[data-path="interval"].delta', 'delta');
    await see('#shadow tr[data-path="interval"] td.desired.changed', '60');
    check(await page.locator('#shadow tr[data-path="temperature"].delta').count() === 0, 'the temperature is in the delta');
    one.publish(shadow, JSON.stringify({state: {reported: {vents: {left: 'open'}, temperature: 22}}}));
    await see('#shadow tr[data-path="vents.left"]:not(.delta)', 'in step');
    await see('#shadow tr[data-path="temperature"] td.reported.changed del', '21.5');
    await see('#version', 'version 3');

    // Messages, filtered and paused.
    for (let i = 0; i < 5; i++) one.publish('site/greenhouse-1/temperature', JSON.stringify({celsius: 21 + i, at: i}));
    one.publish('site/greenhouse-1/note', 'vents opened by hand');
    await see('#messages tr[data-topic="site/greenhouse-1/temperature"]', '"celsius":25');
    await see('#messages tr[data-topic="site/greenhouse-1/note"]', 'vents opened by hand');
    await page.fill('#filter', 'site/+/note');
    check(await page.locator('#messages tr:visible').count() === 1, 'the filter shows more than the note');
    await page.fill('#filter', '');
    await page.uncheck('#own');
    check(await page.locator('#messages tr[data-topic^="$aws"]:visible').count() === 0, 'messages on $aws are shown');
    await page.check('#own');
    await page.click('#pause');
    one.publish('site/greenhouse-1/note', 'during the pause');
    await see('#pause', '1 waiting');
    check(await page.locator('#messages tr', {hasText: 'during the pause'}).count() === 0, 'a message is shown during the pause');
    await page.click('#pause');
    await see('#messages tr', 'during the pause');

    // A refusal, with the reason, ends the connection; so does a client that vanishes.
    const two = await mqtt(mqttPort, 'cert1', 'greenhouse-2');
    const three = await mqtt(mqttPort, 'cert2', 'pump-3');
    await see('#clients li[data-client="pump-3"][data-connected="true"]');
    two.publish('site/greenhouse-1/forged', 'x');
    await see('#events tr[data-kind="refused"][data-client="greenhouse-2"]', 'iot:Publish on topic/site/greenhouse-1/forged: no statement allows it');
    await see('#clients li[data-client="greenhouse-2"] .reason', 'AUTH_ERROR');
    three.vanish();
    await see('#clients li[data-client="pump-3"] .reason', 'CONNECTION_LOST');
    skep('cloud', 'thing', 'create', 'latecomer'); // by another process, while the page is open
    await see('#things li[data-thing="latecomer"]');
    await picture('2-busy');
    await page.click('#kinds button[data-kinds^="refused"]');
    check(await page.locator('#events tr[data-kind="connected"]:visible').count() === 0, 'connections are shown among refusals');
    await see('#events tr[data-kind="refused"]');
    await page.emulateMedia({colorScheme: 'dark'});
    await picture('3-dark');

    // What was is still there after a reload.
    await page.reload();
    await see('#events tr[data-kind="refused"][data-client="greenhouse-2"]', 'no statement allows it');
    await see('#messages tr', 'during the pause');

    // A narrow window, and the cloud's end.
    await page.setViewportSize({width: 420, height: 900});
    check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'a narrow window scrolls sideways');
    await picture('4-narrow');

    // A stranger, and a page of somebody else's whose name leads here, get nothing.
    check(await get(`http://127.0.0.1:${webPort}/api/overview`, {}) === 403, 'a stranger may look');
    check(await get(url, {Host: 'evil.example'}) === 421, 'a foreign name may look');
    const stranger = await browser.newPage();
    const answer = await stranger.goto(`http://127.0.0.1:${webPort}/`);
    check(answer.status() === 403, 'a browser without the token may look');

    cloud.kill('SIGINT');
    await see('#live.bad', 'has ended');
    check(await ended === 0, 'skep cloud ends with ' + await ended + ': ' + log);
    // The end of the cloud is an error of the network, and the only one.
    const unexpected = wrong.filter(w => !/ERR_|Failed to fetch/.test(w));
    check(unexpected.length === 0, 'the page has errors: ' + unexpected.join('; '));
  } catch (e) {
    if (pictures) await browser.contexts()[0].pages()[0].screenshot({path: path.join(pictures, 'failed.png')});
    throw e;
  } finally {
    await browser.close();
    if (cloud.exitCode === null) cloud.kill('SIGKILL');
  }
  console.log(`browser: ${checks} checks passed`);
}

main().catch(e => {
  console.error('browser: FAILED:', e.message);
  process.exit(1);
});
