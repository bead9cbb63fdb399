// Package broker is AWS IoT Core's MQTT 3.1.1 message broker: sessions, subscriptions, retained
// messages, wills and lifecycle events, with AWS's limits and AWS's ways where they differ from
// the MQTT standard:
//
//   - `a/#` does not match `a`; a wildcard in front does not reach topics that begin with $;
//   - QoS 0 and 1 only: anything of QoS 2 closes the connection;
//   - a CONNECT that is not allowed is closed without a CONNACK, a PUBLISH that is not allowed
//     closes the connection, a SUBSCRIBE that is not allowed does too or gets 0x80 (a switch);
//   - retained messages go to exact filters only;
//   - policies are asked on Connect, Publish, RetainPublish, Subscribe, and on every delivery
//     (Receive);
//   - a resumed session is replayed in order, paced, without DUP.
//
// Packets are read with the codec of github.com/mochi-mqtt/server; its broker is not used. The
// broker knows neither TLS nor the registry nor shadows: the caller shakes hands (Handshake),
// says what a client may do (Config.Authorize) and answers requests on reserved topics (Service).
//
// Locks, outermost first: Broker.mu, session.mu, tree.mu. retainedSet.mu and Watcher.mu are
// held with no other. conn has none: its fields are atomic, belong to the session, or are
// written before the goroutine that reads them starts. Config.Log is called under locks and
// must not call back.
package broker
