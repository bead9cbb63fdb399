// Package broker is AWS IoT Core's message broker: MQTT 3.1.1 and 5, sessions, subscriptions,
// shared ones too, retained messages, wills and lifecycle events, with AWS's limits and AWS's
// ways where they differ from the MQTT standard:
//
//   - `a/#` does not match `a`; a wildcard in front does not reach topics that begin with $;
//   - QoS 0 and 1 only: anything of QoS 2 closes the connection;
//   - a CONNECT that is not allowed is closed without a CONNACK (MQTT 5: CONNACK 0x87), a
//     PUBLISH that is not allowed closes the connection (MQTT 5, QoS 1: PUBACK 0x87), a
//     SUBSCRIBE that is not allowed does too or gets 0x80 (a switch; MQTT 5: SUBACK 0x87);
//   - retained messages go to exact filters only;
//   - policies are asked on Connect, Publish, RetainPublish, Subscribe, and on every delivery
//     (Receive);
//   - a resumed session is replayed in order, paced, without DUP.
//
// docs/aws-conformance.md shows them, made by a test.
//
// Persistent sessions are kept in a SessionStore: a crash loses nothing that was acknowledged.
// A Backbone joins brokers into one endpoint.
//
// PUBLISH, PUBACK and CONNECT are read here, strictly; the rarer packets with the codec of
// github.com/mochi-mqtt/server, whose broker is not used. The broker knows neither TLS nor the
// registry nor shadows nor rules: the caller shakes hands (Handshake), says what a client may
// do (Config.Authorize), answers requests on reserved topics (Service) and takes what goes to
// rules (Config.Ingest, Broker.Tap).
//
// A connection has one goroutine, which reads, and holds no buffer while it is idle; a writer
// is there while there is something to write.
//
// Locks, outermost first: Broker.mu, session.mu, Broker.interest, tree.mu. retainedSet's
// locks and Watcher.mu are held with no other. conn has none: its fields are atomic, guarded by the
// session's lock, or written before the goroutine that reads them starts. Config.Log,
// Backbone.Interest and SessionStore.Put are called under locks and must not call back.
package broker
