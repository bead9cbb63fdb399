// Package rest is AWS IoT Core's data plane over HTTPS: shadows, publishing, retained messages
// and connections, on port 8443
// with client certificates, on 443 signed (SigV4), where it also hands MQTT over WebSocket on.
//
// It reads HTTP with the standard library and writes it itself: the answers have the header
// fields of the real service, in its order and spelling, in one write, because small devices
// read a fixed number of bytes and print or search them. HTTP/1.0 clients are answered as the
// real service does, with HTTP/1.1 and keep-alive.
//
// It is not a web server: no HTTP/2, no static files. What is signed how is package sigv4's.
package rest
