// Package build turns an application's directory into what belongs on a module's
// flash: a layout, with the hash of each file, and the directory and manifest in
// which it is kept.
//
// The same application gives the same bytes, wherever and whenever it is built. The
// package knows nothing of devices and measures nothing: what the layout costs on a
// module is for who has one, virtual or real.
package build
