// Package rest is AWS IoT Core's data plane over HTTPS: shadows and publishing, on port 8443
// with client certificates.
//
// It reads HTTP with the standard library and writes it itself: the answers have the header
// fields of the real service, in its order and spelling, in one write, because small devices
// read a fixed number of bytes and print or search them. HTTP/1.0 clients are answered as the
// real service does, with HTTP/1.1 and keep-alive.
//
// It is not a web server: no HTTP/2, no static files, no signed (SigV4) requests.
package rest
