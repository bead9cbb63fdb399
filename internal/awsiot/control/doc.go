// Package control is AWS IoT's control plane on the local state: things and their types,
// certificates, certificate authorities of one's own, policies, and keys for signed requests:
// to create, show, change and delete them, under AWS's rules.
//
// Control is given a state and a clock. Its methods take and give plain values that can go as
// JSON, for commands and for other processes; their errors say what to do. A change counts at
// once for clients that are connected, because the state tells the server of it.
//
// It is not the control plane's network API: nothing here listens, and no certificate or key
// is needed to ask. It decides nothing at connections, but for Register, by which a registered
// CA's device certificate comes in at its first connection (just-in-time registration).
//
// The rules are those of the AWS IoT API Reference and of the AWS IoT Core service quotas:
// what must be detached before it is deleted, which names are valid, how many policies a
// certificate may have. Where AWS is not known to say, the message does not claim it.
package control
