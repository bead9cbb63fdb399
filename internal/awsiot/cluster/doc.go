// Package cluster joins several local AWS IoT processes, the nodes, into one logical endpoint, by
// way of an existing NATS cluster with JetStream. A client may connect to any node: what it
// publishes reaches subscribers on all, its persistent session, its shadows and the registry are
// the same everywhere, and a node or a NATS server can die.
//
// What is kept (certificates, policies, shadows, retained messages, sessions with their queues) is
// one JetStream stream with one message for each key. Every node has a copy in its own state
// directory and follows the stream; a write counts, and is acknowledged, when JetStream has it
// and it has come back. Messages between clients go over core NATS subjects, one for each topic,
// to the nodes that have subscribers; with Config.DurableQoS1 those of QoS 1 go through a second
// stream, and a publisher gets its PUBACK when that has them.
//
// Who does what:
//
//   - every node tells the others each second that it is there; one that has been silent for
//     Config.DeadAfter is dead, and one of the others adopts its sessions;
//   - the shadows of a thing are served by one node, chosen by hashing among those that are
//     there; others hand requests on. Two nodes that both believe to be it cannot lose an
//     update: a write says which version it replaces, and one that is late fails.
//
// It is not a message broker of its own, nor NATS's MQTT, which cannot have AWS's rules; it runs no
// NATS server, and it does nothing for a process that is alone.
package cluster
