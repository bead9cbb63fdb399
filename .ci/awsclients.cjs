// The clients from npm of .ci/awsclients.sh, which starts the cloud and this:
//
//   node awsclients.cjs DIR     with the packages in DIR/node_modules
//
// and in the environment the ENDPOINT's name, the ports MQTT, HTTPS and TLS (443), the
// directory CERT of aws.ca, aws.crt and aws.key, and the file KEY of an access key.
'use strict'
const fs = require('fs')
const net = require('net')
const http = require('http')
const https = require('https')
const crypto = require('crypto')
const path = require('path')
const assert = require('assert')

const need = require('module').createRequire(path.join(process.argv[2], 'x.js'))
const { ENDPOINT, CERT } = process.env
const port = { mqtt: +process.env.MQTT, https: +process.env.HTTPS, tls: +process.env.TLS }
const file = { ca: CERT + '/aws.ca', cert: CERT + '/aws.crt', key: CERT + '/aws.key' }
const pem = { ca: fs.readFileSync(file.ca), cert: fs.readFileSync(file.cert), key: fs.readFileSync(file.key) }
const key = JSON.parse(fs.readFileSync(process.env.KEY))
const credentials = { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey }
const region = 'us-east-1'
const patience = 60000

// lookup leads the endpoint's name here.
function lookup(host, options, done) {
  assert.strictEqual(host, ENDPOINT)
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
}

let failed = 0
let passed = 0
async function check(name, run) {
  let timer
  try {
    await Promise.race([
      run(),
      new Promise((_, no) => { timer = setTimeout(() => no(new Error('nothing came of it in a minute')), patience) }),
    ])
    passed++
    console.log('aws-clients: ok: ' + name)
  } catch (e) {
    failed++
    console.log('aws-clients: FAILED: ' + name + '\n' + (e && e.stack || e))
  } finally {
    clearTimeout(timer)
  }
}

// once is a promise of an event, and fails with 'error'.
function once(emitter, event) {
  return new Promise((ok, no) => {
    emitter.once(event, (...args) => ok(args))
    emitter.once('error', no)
  })
}

// collector gathers what comes until it is taken.
function collector() {
  const have = []
  const wanted = []
  return {
    put(v) { wanted.length ? wanted.shift()(v) : have.push(v) },
    take() { return have.length ? Promise.resolve(have.shift()) : new Promise((ok) => wanted.push(ok)) },
  }
}

// ---- aws-iot-device-sdk: device and thingShadow ----

async function deviceV1(name, options) {
  const { device } = need('aws-iot-device-sdk')
  await check('aws-iot-device-sdk, device, ' + name, async () => {
    const d = device({ clientId: 'v1-' + name, host: ENDPOINT, region, ...options })
    try {
      await once(d, 'connect')
      const got = collector()
      d.on('message', (topic, payload) => got.put(topic + ' ' + payload))
      await new Promise((ok, no) => d.subscribe('v1/+', { qos: 1 }, (e) => e ? no(e) : ok()))
      await new Promise((ok, no) => d.publish('v1/a', 'hello', { qos: 1 }, (e) => e ? no(e) : ok()))
      assert.strictEqual(await got.take(), 'v1/a hello')
      d.publish('v1/b', Buffer.alloc(100000, 'x'))
      assert.strictEqual((await got.take()).length, 5 + 100000)
    } finally {
      d.end(true)
    }
  })
}

async function thingShadowV1() {
  const { thingShadow } = need('aws-iot-device-sdk')
  await check('aws-iot-device-sdk, thingShadow', async () => {
    const s = thingShadow({ clientId: 'v1-shadow', host: ENDPOINT, port: port.mqtt, keyPath: file.key, certPath: file.cert, caPath: file.ca, lookup })
    try {
      await once(s, 'connect')
      const status = collector()
      const delta = collector()
      s.on('status', (thing, stat, token, state) => status.put({ stat, state }))
      s.on('delta', (thing, state) => delta.put(state))
      await new Promise((ok) => s.register('v1thing', {}, ok))
      assert.ok(s.update('v1thing', { state: { desired: { led: 1 }, reported: { led: 0 } } }))
      assert.strictEqual((await status.take()).stat, 'accepted')
      assert.deepStrictEqual((await delta.take()).state, { led: 1 })
      assert.ok(s.get('v1thing'))
      const got = await status.take()
      assert.deepStrictEqual(got.state.state, { desired: { led: 1 }, reported: { led: 0 }, delta: { led: 1 } })
      assert.ok(s.delete('v1thing'))
      assert.strictEqual((await status.take()).stat, 'accepted')
      assert.ok(s.get('v1thing'))
      const gone = await status.take()
      assert.deepStrictEqual([gone.stat, gone.state.code], ['rejected', 404])
    } finally {
      s.end(true)
    }
  })
}

// ---- aws-iot-device-sdk-v2: native code, which looks names up itself ----

// proxy is an HTTP proxy that leads the endpoint's ports here.
function proxy() {
  const server = http.createServer()
  server.on('connect', (request, client) => {
    const [host, p] = request.url.split(':')
    const to = { 8883: port.mqtt, 8443: port.https, 443: port.tls }[p]
    if (host !== ENDPOINT || !to) return client.end('HTTP/1.1 404 Not Found\r\n\r\n')
    const cloud = net.connect(to, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.pipe(cloud).pipe(client)
    })
    for (const [a, b] of [[cloud, client], [client, cloud]]) {
      a.on('error', () => b.destroy())
      a.on('close', () => b.destroy())
    }
  })
  return new Promise((ok) => server.listen(0, '127.0.0.1', () => ok(server)))
}

async function pubsubV2(connection, topic) {
  const { mqtt } = need('aws-iot-device-sdk-v2')
  const got = collector()
  await connection.subscribe(topic + '/+', mqtt.QoS.AtLeastOnce, (t, payload) => got.put(t + ' ' + Buffer.from(payload)))
  await connection.publish(topic + '/a', 'hello', mqtt.QoS.AtLeastOnce)
  assert.strictEqual(await got.take(), topic + '/a hello')
  await connection.publish(topic + '/b', Buffer.alloc(100000, 'x'), mqtt.QoS.AtMostOnce)
  assert.strictEqual((await got.take()).length, topic.length + 3 + 100000)
  await connection.unsubscribe(topic + '/+')
}

async function connectionsV2(through) {
  const { mqtt, iot, http: crthttp } = need('aws-iot-device-sdk-v2')
  const proxyOptions = new crthttp.HttpProxyOptions('127.0.0.1', through)
  const mtls = () => iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(file.cert, file.key)
  const ways = {
    'mutual TLS on 8883': () => mtls().with_port(8883),
    'ALPN on 443': () => mtls().with_port(443),
    'WebSocket with SigV4': () => iot.AwsIotMqttConnectionConfigBuilder.new_with_websockets().with_credentials(region, credentials.accessKeyId, credentials.secretAccessKey),
  }
  for (const [name, make] of Object.entries(ways)) {
    const connect = async (id) => {
      const config = make().with_certificate_authority_from_path(undefined, file.ca).with_clean_session(true)
        .with_client_id(id).with_endpoint(ENDPOINT).with_http_proxy_options(proxyOptions).build()
      const connection = new mqtt.MqttClient().new_connection(config)
      connection.on('error', () => {}) // connect() fails as well
      await connection.connect()
      return connection
    }
    await check('aws-iot-device-sdk-v2, 3.1.1, ' + name, async () => {
      const connection = await connect('v2-311')
      await pubsubV2(connection, 'v2')
      await connection.disconnect()
    })
    if (name === 'ALPN on 443') continue
    await check('aws-iot-device-sdk-v2, shadow client, ' + name, async () => {
      const connection = await connect('v2-shadow')
      await shadowV2(connection)
      await connection.disconnect()
    })
    if (name !== 'mutual TLS on 8883') continue
    await check('aws-iot-device-sdk-v2, jobs client, ' + name, async () => {
      const connection = await connect('v2-jobs')
      await jobsV2(connection)
      await connection.disconnect()
    })
  }
}

async function shadowV2(connection) {
  const { mqtt, iotshadow } = need('aws-iot-device-sdk-v2')
  const shadow = new iotshadow.IotShadowClient(connection)
  const thingName = 'v2thing'
  const qos = mqtt.QoS.AtLeastOnce
  const accepted = collector()
  const delta = collector()
  const rejected = collector()
  const put = (to) => (error, response) => to.put(error || response)
  await shadow.subscribeToUpdateShadowAccepted({ thingName }, qos, put(accepted))
  await shadow.subscribeToUpdateShadowRejected({ thingName }, qos, put(rejected))
  await shadow.subscribeToShadowDeltaUpdatedEvents({ thingName }, qos, put(delta))
  await shadow.subscribeToGetShadowAccepted({ thingName }, qos, put(accepted))
  await shadow.subscribeToDeleteShadowAccepted({ thingName }, qos, put(accepted))
  await shadow.publishUpdateShadow({ thingName, clientToken: 't1', state: { desired: { led: 1.5 }, reported: { led: 0 } } }, qos)
  const a = await accepted.take()
  assert.strictEqual(a.clientToken, 't1')
  assert.deepStrictEqual((await delta.take()).state, { led: 1.5 })
  await shadow.publishGetShadow({ thingName, clientToken: 't2' }, qos)
  assert.deepStrictEqual((await accepted.take()).state.delta, { led: 1.5 })
  await shadow.publishUpdateShadow({ thingName, clientToken: 't3', version: 999, state: { reported: { led: 1 } } }, qos)
  const no = await rejected.take()
  assert.deepStrictEqual([no.code, no.clientToken], [409, 't3'])
  await shadow.publishDeleteShadow({ thingName, clientToken: 't4' }, qos)
  assert.strictEqual((await accepted.take()).clientToken, 't4')
}

// jobsV2 does the jobs ci-1 and ci-2 of thing0.
async function jobsV2(connection) {
  const { mqtt, iotjobs } = need('aws-iot-device-sdk-v2')
  const jobs = new iotjobs.IotJobsClient(connection)
  const thingName = 'thing0'
  const qos = mqtt.QoS.AtLeastOnce
  const got = collector()
  const put = (error, response) => got.put(error || response)
  const changed = collector()
  await jobs.subscribeToNextJobExecutionChangedEvents({ thingName }, qos, (error, event) => changed.put(error || event))
  await jobs.subscribeToGetPendingJobExecutionsAccepted({ thingName }, qos, put)
  await jobs.publishGetPendingJobExecutions({ thingName, clientToken: 'g' }, qos)
  const pending = await got.take()
  assert.deepStrictEqual(pending.queuedJobs.slice(0, 2).map((j) => j.jobId), ['ci-1', 'ci-2'])
  await jobs.subscribeToStartNextPendingJobExecutionAccepted({ thingName }, qos, put)
  for (const jobId of ['ci-1', 'ci-2']) {
    await jobs.publishStartNextPendingJobExecution({ thingName, clientToken: 's' }, qos)
    const { execution } = await got.take()
    assert.deepStrictEqual([execution.jobId, execution.status, execution.versionNumber, execution.jobDocument], [jobId, 'IN_PROGRESS', 2, { operation: 'ci' }])
    await jobs.subscribeToDescribeJobExecutionAccepted({ thingName, jobId }, qos, put)
    await jobs.publishDescribeJobExecution({ thingName, jobId, includeJobDocument: false }, qos)
    assert.strictEqual((await got.take()).execution.status, 'IN_PROGRESS')
    await jobs.subscribeToUpdateJobExecutionAccepted({ thingName, jobId }, qos, put)
    await jobs.subscribeToUpdateJobExecutionRejected({ thingName, jobId }, qos, put)
    await jobs.publishUpdateJobExecution({ thingName, jobId, status: 'SUCCEEDED', expectedVersion: 7, clientToken: 'v' }, qos)
    const no = await got.take()
    assert.deepStrictEqual([no.code, no.clientToken, no.executionState.versionNumber], ['VersionMismatch', 'v', 2])
    await jobs.publishUpdateJobExecution({ thingName, jobId, status: 'SUCCEEDED', statusDetails: { by: 'v2' }, expectedVersion: 2, clientToken: 'u' }, qos)
    assert.strictEqual((await got.take()).clientToken, 'u')
    assert.notStrictEqual((await changed.take()).execution.jobId, jobId)
  }
}

async function mqtt5V2(through) {
  const { mqtt5, iot, http: crthttp, io } = need('aws-iot-device-sdk-v2')
  const proxyOptions = new crthttp.HttpProxyOptions('127.0.0.1', through)
  const ways = {
    'mutual TLS on 8883': () => iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(ENDPOINT, file.cert, file.key).withPort(8883),
    'WebSocket with SigV4': () => iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth(ENDPOINT, {
      region,
      credentialsProvider: need('aws-crt').auth.AwsCredentialsProvider.newStatic(credentials.accessKeyId, credentials.secretAccessKey),
    }),
  }
  for (const [name, make] of Object.entries(ways)) {
    await check('aws-iot-device-sdk-v2, MQTT 5, ' + name, async () => {
      const config = make().withCertificateAuthorityFromPath(undefined, file.ca).withHttpProxyOptions(proxyOptions)
        .withConnectProperties({ clientId: 'v2-mqtt5', keepAliveIntervalSeconds: 60, sessionExpiryIntervalSeconds: 60 }).build()
      const client = new mqtt5.Mqtt5Client(config)
      const failure = new Promise((_, no) => client.on('connectionFailure', (e) => no(new Error('connecting: ' + e.error))))
      const connected = new Promise((ok) => client.on('connectionSuccess', ok))
      const stopped = new Promise((ok) => client.on('stopped', ok))
      const got = collector()
      client.on('messageReceived', (e) => got.put(e.message))
      client.start()
      try {
        const ack = (await Promise.race([connected, failure])).connack
        assert.strictEqual(ack.reasonCode, 0)
        const sub = await client.subscribe({ subscriptions: [{ topicFilter: 'v2-5/+', qos: mqtt5.QoS.AtLeastOnce }] })
        assert.deepStrictEqual(sub.reasonCodes, [1])
        const ok = await client.publish({
          topicName: 'v2-5/a', qos: mqtt5.QoS.AtLeastOnce, payload: 'hello', contentType: 'text/plain', responseTopic: 'v2-5/reply',
          correlationData: Buffer.from('id'), payloadFormat: mqtt5.PayloadFormatIndicator.Utf8, messageExpiryIntervalSeconds: 60,
          userProperties: [{ name: 'a', value: '1' }, { name: 'a', value: '2' }],
        })
        assert.ok(ok.reasonCode === 0 || ok.reasonCode === 16)
        const m = await got.take()
        assert.strictEqual(m.topicName + ' ' + Buffer.from(m.payload), 'v2-5/a hello')
        assert.deepStrictEqual([m.contentType, m.responseTopic, Buffer.from(m.correlationData).toString(), m.payloadFormat],
          ['text/plain', 'v2-5/reply', 'id', 1])
        assert.deepStrictEqual(m.userProperties, [{ name: 'a', value: '1' }, { name: 'a', value: '2' }])
        const gone = await client.unsubscribe({ topicFilters: ['v2-5/+', 'v2-5/none'] })
        assert.deepStrictEqual(gone.reasonCodes, [0, 17])
      } finally {
        client.stop()
        await stopped
        client.close()
      }
    })
  }
}

// ---- @aws-sdk/client-iot-data-plane ----

async function dataPlane() {
  const sdk = need('@aws-sdk/client-iot-data-plane')
  const mqtt = need('mqtt')
  const { NodeHttpHandler } = need('@smithy/node-http-handler')
  const client = (c, p) => new sdk.IoTDataPlaneClient({
    region, endpoint: `https://${ENDPOINT}:${p}`, maxAttempts: 1, credentials: c,
    requestHandler: new NodeHttpHandler({ httpsAgent: new https.Agent({ ca: pem.ca, lookup, keepAlive: true }) }),
  })
  const aws = client(credentials, port.tls)
  const call = (name, input, c = aws) => c.send(new sdk[name + 'Command'](input))
  const text = (bytes) => Buffer.from(bytes).toString()
  const json = (bytes) => JSON.parse(text(bytes))
  const refuses = async (kind, status, name, input, c) => {
    await assert.rejects(call(name, input, c), (e) => {
      assert.ok(e instanceof sdk[kind], `${name}: ${e.name}, not ${kind}: ${e}`)
      assert.strictEqual(e.$metadata.httpStatusCode, status)
      assert.ok(e.message && e.traceId !== '')
      return true
    })
  }
  const done = new Set()
  const ran = (name, run) => { done.add(name); return check('@aws-sdk/client-iot-data-plane, ' + name, run) }

  await ran('UpdateThingShadow', async () => {
    const r = await call('UpdateThingShadow', { thingName: 'sdk', payload: JSON.stringify({ state: { desired: { a: 1 } } }) })
    assert.strictEqual(json(r.payload).version, 1)
    for (const shadowName of ['one', 'two', 'three']) {
      await call('UpdateThingShadow', { thingName: 'sdk', shadowName, payload: JSON.stringify({ state: { reported: { a: 1 } } }) })
    }
  })
  await ran('GetThingShadow', async () => {
    assert.deepStrictEqual(json((await call('GetThingShadow', { thingName: 'sdk' })).payload).state, { desired: { a: 1 }, delta: { a: 1 } })
    assert.deepStrictEqual(json((await call('GetThingShadow', { thingName: 'sdk', shadowName: 'one' })).payload).state, { reported: { a: 1 } })
  })
  await ran('ListNamedShadowsForThing', async () => {
    let names = []
    let nextToken
    do {
      const r = await call('ListNamedShadowsForThing', { thingName: 'sdk', pageSize: 2, nextToken })
      names = names.concat(r.results)
      nextToken = r.nextToken
    } while (nextToken)
    assert.deepStrictEqual(names, ['one', 'three', 'two'])
  })
  await ran('DeleteThingShadow', async () => {
    assert.strictEqual(json((await call('DeleteThingShadow', { thingName: 'sdk' })).payload).version, 1)
  })

  const device = mqtt.connect({ protocol: 'mqtts', host: ENDPOINT, servername: ENDPOINT, port: port.mqtt, lookup, ...pem, clientId: 'sdk/device', protocolVersion: 4, reconnectPeriod: 0 })
  await once(device, 'connect')
  const got = collector()
  device.on('message', (topic, payload) => got.put(topic + ' ' + payload))
  await device.subscribeAsync({ 'sdk/#': { qos: 1 }, other: { qos: 0 } })

  await ran('Publish', async () => {
    await call('Publish', { topic: 'sdk/a b/ü', qos: 1, payload: 'hello' })
    assert.strictEqual(await got.take(), 'sdk/a b/ü hello')
    await call('Publish', {
      topic: 'sdk/props', qos: 1, payload: Buffer.from([0, 255]), contentType: 'a/b', responseTopic: 're/ply', messageExpiry: 60,
      correlationData: Buffer.from('id').toString('base64'), payloadFormatIndicator: 'UNSPECIFIED_BYTES', userProperties: JSON.stringify([{ a: '1' }, { b: '2' }]),
    })
    assert.ok((await got.take()).startsWith('sdk/props '))
    for (let i = 0; i < 5; i++) {
      await call('Publish', { topic: 'kept/sdk/' + i, qos: 1, retain: true, payload: 'k' + i, userProperties: JSON.stringify([{ n: String(i) }]) })
    }
  })
  await ran('GetRetainedMessage', async () => {
    const r = await call('GetRetainedMessage', { topic: 'kept/sdk/3' })
    assert.deepStrictEqual([r.topic, text(r.payload), r.qos], ['kept/sdk/3', 'k3', 1])
    assert.ok(Math.abs(r.lastModifiedTime - Date.now()) < 3600e3)
    assert.deepStrictEqual(json(r.userProperties), [{ n: '3' }])
  })
  await ran('ListRetainedMessages', async () => {
    let topics = []
    let nextToken
    do {
      const r = await call('ListRetainedMessages', { maxResults: 2, nextToken })
      topics = topics.concat(r.retainedTopics.filter((t) => t.topic.startsWith('kept/sdk/')).map((t) => t.topic + ' ' + t.payloadSize))
      nextToken = r.nextToken
    } while (nextToken)
    assert.deepStrictEqual(topics, [0, 1, 2, 3, 4].map((i) => `kept/sdk/${i} 2`))
  })
  await ran('GetConnection', async () => {
    const r = await call('GetConnection', { clientId: 'sdk/device', includeSocketInformation: true })
    assert.deepStrictEqual([r.connected, r.clientId, r.thingName, r.sourceIp, r.targetPort, r.cleanSession], [true, 'sdk/device', 'thing0', '127.0.0.1', port.mqtt, true])
  })
  await ran('ListSubscriptions', async () => {
    const r = await call('ListSubscriptions', { clientId: 'sdk/device', maxResults: 1 })
    assert.deepStrictEqual(r.subscriptions, [{ topicFilter: 'other', qos: 0 }])
    const s = await call('ListSubscriptions', { clientId: 'sdk/device', maxResults: 1, nextToken: r.nextToken })
    assert.deepStrictEqual([s.subscriptions, s.nextToken], [[{ topicFilter: 'sdk/#', qos: 1 }], undefined])
  })
  await ran('SendDirectMessage', async () => {
    const r = await call('SendDirectMessage', { clientId: 'sdk/device', topic: 'direct', payload: 'quick' })
    assert.strictEqual(r.message, 'OK')
    assert.strictEqual(await got.take(), 'direct quick')
    await call('SendDirectMessage', { clientId: 'sdk/device', topic: 'direct', payload: 'sure', confirmation: true, timeout: 15 })
    assert.strictEqual(await got.take(), 'direct sure')
  })
  await ran('DeleteConnection', async () => {
    const closed = new Promise((ok) => device.once('close', ok))
    await call('DeleteConnection', { clientId: 'sdk/device', cleanSession: true, preventWillMessage: true })
    await closed
  })
  device.end(true)

  await check('@aws-sdk/client-iot-data-plane, exceptions', async () => {
    const payload = '{"state":{"reported":{"a":1}}}'
    await refuses('ResourceNotFoundException', 404, 'GetThingShadow', { thingName: 'none' })
    await refuses('ResourceNotFoundException', 404, 'GetRetainedMessage', { topic: 'none' })
    await refuses('ResourceNotFoundException', 404, 'DeleteConnection', { clientId: 'none' })
    await refuses('InvalidRequestException', 400, 'UpdateThingShadow', { thingName: 'sdk', payload: '{' })
    await refuses('InvalidRequestException', 400, 'Publish', { topic: 'a/#', payload: 'x' })
    await refuses('ConflictException', 409, 'UpdateThingShadow', { thingName: 'sdk', shadowName: 'one', payload: '{"state":{},"version":7}' })
    await refuses('RequestEntityTooLargeException', 413, 'UpdateThingShadow', { thingName: 'sdk', payload: JSON.stringify({ state: { reported: { a: 'x'.repeat(9000) } } }) })
    await refuses('RequestEntityTooLargeException', 413, 'Publish', { topic: 'a', payload: Buffer.alloc(128 * 1024 + 1) })
    await refuses('UnsupportedDocumentEncodingException', 415, 'UpdateThingShadow', { thingName: 'sdk', payload: Buffer.from([0x22, 0xff, 0x22]) })
    await refuses('ForbiddenException', 403, 'UpdateThingShadow', { thingName: 'sdk', payload }, client({ ...credentials, secretAccessKey: 'wrong' }, port.tls))
    await refuses('ForbiddenException', 403, 'GetThingShadow', { thingName: 'sdk' }, client({ accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' }, port.tls))
    // Port 8443 is for certificates alone.
    await assert.rejects(call('GetThingShadow', { thingName: 'sdk' }, client(credentials, port.https)))
  })
  await check('@aws-sdk/client-iot-data-plane, no call left out', async () => {
    const all = Object.keys(sdk).filter((n) => /^[A-Z].*Command$/.test(n) && n !== '$Command').map((n) => n.slice(0, -7))
    assert.deepStrictEqual(all.filter((n) => !done.has(n)), [])
  })
}

// ---- mqtt.js: MQTT over WebSocket, signed by hand as a browser's page does ----

function presign(secret) {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = [now.slice(0, 8), region, 'iotdevicegateway', 'aws4_request']
  const host = `${ENDPOINT}:${port.tls}`
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': [credentials.accessKeyId, ...scope].join('/'), 'X-Amz-Date': now,
    'X-Amz-Expires': '86400', 'X-Amz-SignedHeaders': 'host',
  }).toString()
  const hash = (s) => crypto.createHash('sha256').update(s).digest('hex')
  const canonical = ['GET', '/mqtt', query, 'host:' + host, '', 'host', hash('')].join('\n')
  let k = 'AWS4' + secret
  for (const part of scope) k = crypto.createHmac('sha256', k).update(part).digest()
  const signature = crypto.createHmac('sha256', k).update(['AWS4-HMAC-SHA256', now, scope.join('/'), hash(canonical)].join('\n')).digest('hex')
  return `wss://${host}/mqtt?${query}&X-Amz-Signature=${signature}`
}

// ---- @aws-sdk/client-iot-jobs-data-plane ----

// jobsDataPlane does the jobs ci-3 and ci-4 of thing0.
async function jobsDataPlane() {
  const sdk = need('@aws-sdk/client-iot-jobs-data-plane')
  const { NodeHttpHandler } = need('@smithy/node-http-handler')
  const aws = new sdk.IoTJobsDataPlaneClient({
    region, endpoint: `https://${ENDPOINT}:${port.tls}`, maxAttempts: 1, credentials,
    requestHandler: new NodeHttpHandler({ httpsAgent: new https.Agent({ ca: pem.ca, lookup, keepAlive: true }) }),
  })
  const call = (name, input) => aws.send(new sdk[name + 'Command']({ thingName: 'thing0', ...input }))
  const refuses = (kind, status, name, input) => assert.rejects(call(name, input), (e) => {
    assert.ok(e instanceof sdk[kind], `${name}: ${e.name}, not ${kind}: ${e}`)
    assert.strictEqual(e.$metadata.httpStatusCode, status)
    return true
  })
  await check('@aws-sdk/client-iot-jobs-data-plane, all calls', async () => {
    assert.deepStrictEqual((await call('GetPendingJobExecutions')).queuedJobs.map((j) => j.jobId), ['ci-3', 'ci-4'])
    const { execution } = await call('StartNextPendingJobExecution', { statusDetails: { step: '1' }, stepTimeoutInMinutes: 5 })
    assert.deepStrictEqual([execution.jobId, execution.status, JSON.parse(execution.jobDocument)], ['ci-3', 'IN_PROGRESS', { operation: 'ci' }])
    const d = await call('DescribeJobExecution', { jobId: '$next', includeJobDocument: false })
    assert.deepStrictEqual([d.execution.jobId, d.execution.statusDetails, d.execution.jobDocument], ['ci-3', { step: '1' }, undefined])
    assert.ok(d.execution.approximateSecondsBeforeTimedOut > 0)
    const u = await call('UpdateJobExecution', { jobId: 'ci-3', status: 'SUCCEEDED', includeJobExecutionState: true, includeJobDocument: true, expectedVersion: 2 })
    assert.deepStrictEqual([u.executionState.status, JSON.parse(u.jobDocument)], ['SUCCEEDED', { operation: 'ci' }])
  })
  await check('@aws-sdk/client-iot-jobs-data-plane, exceptions', async () => {
    await refuses('ResourceNotFoundException', 404, 'DescribeJobExecution', { jobId: 'nowhere' })
    await refuses('TerminalStateException', 410, 'DescribeJobExecution', { jobId: 'ci-3' })
    await refuses('InvalidStateTransitionException', 409, 'UpdateJobExecution', { jobId: 'ci-3', status: 'FAILED' })
    await refuses('InvalidRequestException', 400, 'UpdateJobExecution', { jobId: 'ci-4', status: 'QUEUED' })
  })
}

async function mqttJS() {
  const mqtt = need('mqtt')
  const options = { reconnectPeriod: 0, wsOptions: { ca: pem.ca, lookup } }
  for (const protocolVersion of [4, 5]) {
    await check(`mqtt.js, WebSocket with SigV4, version ${protocolVersion}`, async () => {
      const c = mqtt.connect(presign(credentials.secretAccessKey), { ...options, protocolVersion, clientId: 'mqttjs' + protocolVersion })
      try {
        await once(c, 'connect')
        const got = collector()
        c.on('message', (topic, payload) => got.put(topic + ' ' + payload))
        await c.subscribeAsync('js/+', { qos: 1 })
        await c.publishAsync('js/a', 'hello', { qos: 1 })
        assert.strictEqual(await got.take(), 'js/a hello')
        await c.publishAsync('js/b', Buffer.alloc(128 * 1024, 'x'))
        assert.strictEqual((await got.take()).length, 5 + 128 * 1024)
      } finally {
        c.end(true)
      }
    })
  }
  await check('mqtt.js, WebSocket wrongly signed', async () => {
    const url = presign('wrong')
    const c = mqtt.connect(url, { ...options, clientId: 'wrong' })
    c.on('error', () => {}) // not every version tells of it
    await new Promise((ok, no) => {
      c.once('close', ok)
      c.once('connect', () => no(new Error('it connects')))
    })
    c.end(true)
    const [answer] = await once(https.get(url.replace('wss:', 'https:'), { ca: pem.ca, lookup }), 'response')
    assert.strictEqual(answer.statusCode, 403)
    assert.strictEqual(answer.headers['x-amzn-errortype'], 'ForbiddenException')
    answer.destroy()
  })
}

async function main() {
  const tls = { port: port.mqtt, keyPath: file.key, certPath: file.cert, caPath: file.ca, lookup }
  await deviceV1('mutual TLS', tls)
  await deviceV1('ALPN on 443', { ...tls, port: port.tls, ALPNProtocols: ['x-amzn-mqtt-ca'] })
  await deviceV1('WebSocket with SigV4', {
    protocol: 'wss', port: port.tls, accessKeyId: credentials.accessKeyId, secretKey: credentials.secretAccessKey, websocketOptions: { ca: pem.ca, lookup },
  })
  await thingShadowV1()
  const through = await proxy()
  await connectionsV2(through.address().port)
  await mqtt5V2(through.address().port)
  through.close()
  await dataPlane()
  await jobsDataPlane()
  await mqttJS()
  console.log(`aws-clients: ${passed} checks with node, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}

main().catch((e) => {
  console.log('aws-clients: FAILED: ' + (e && e.stack || e))
  process.exit(1)
})
