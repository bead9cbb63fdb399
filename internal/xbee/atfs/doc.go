// Package atfs is the file system commands of command mode, ATFS and its
// sub-commands (device-facts.md 10.5). A [Shell] is handed what comes behind
// ATFS on a line and answers with the text that command mode prints; files go
// to and from the host by YMODEM in between.
//
// It is not command mode, and it keeps no files: those are package flash's. The
// API frames for files (3B, BB) are somebody else's, too.
package atfs
