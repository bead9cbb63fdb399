// Package flash is the module's file system: what a program sees below /flash,
// with the device's limits and its rule on letter case (device-facts.md 4.2,
// 4.3, 5.1, 5.2), and the crash-safe image on the host that outlives power-off.
//
// [FS] is the file system. A [Device] is the whole of what a module keeps
// without power: the file system and some named blobs beside it (the bundle
// area, the saved AT registers).
//
// # How the image survives a crash
//
// The image is one journal: a header, then records, each with its length and a
// checksum. A record holds all edits of one operation, so an operation is in
// the image whole or not at all, be it a rename, a format, a laid directory of
// files or the closing of a file with new content. A record is appended and
// synced before the operation returns. A crash, kill -9 or a loss of power on
// the host can only damage the last record, which the next opening drops: the
// device then has the content from before that operation. When the journal
// has grown well beyond what is live, its successor is written beside it,
// synced, and renamed over it.
//
// One file per object, each replaced by renaming, was the alternative. It
// makes a single file's content atomic, but rename-over, format, "these
// twenty files together" and the order of a directory would each have needed
// a second mechanism; the journal has one.
//
// What a program has written to an open file is stored when it flushes or
// closes the file, or calls sync. Power lost before leaves the old content.
//
// # What it is not
//
// It does not simulate flash pages, wear or timing, and it keeps no file
// times: the module's directory listing has none. It knows no Python: the
// errors are plain [Errno] values to which the Python layer adds 7000.
package flash
