// Package store keeps the local AWS IoT's state in one directory: the certificate authority,
// the registry of certificates, things and policies, the shadows and the retained messages.
//
// It is one bbolt file. Whatever a call has acknowledged survives a crash of the process or of
// the machine; what it had not is there wholly or not at all. One process has the directory at
// a time; another gets an error that names the first.
//
// It is not a cache policy and not a query language: the registry is held in memory as well,
// shadows and retained messages are read by key.
package store
