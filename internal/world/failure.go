package world

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// FailKind says in what way the outside failed. It is data that a recording
// can keep; the device makes its own error number of it.
type FailKind uint8

// The ways in which the outside fails.
const (
	FailOther       FailKind = iota
	FailBlocked              // the network policy forbids it
	FailNoHost               // the name has no address
	FailUnreachable          // no way to the address
	FailRefused              // nobody listens there
	FailTimeout              // the limit of the call has passed
	FailInterrupted          // the interrupt of the call came
	FailReset                // the peer broke the connection off
	FailTLS                  // no secure connection could be agreed on
	FailClosed               // the stream is closed, or its other end is
)

// String describes k.
func (k FailKind) String() string {
	names := [...]string{
		"network failure", "forbidden by the network policy", "no such host", "unreachable", "connection refused",
		"timed out", "interrupted", "connection reset", "TLS failure", "closed",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return names[FailOther]
}

// Failure is what every method of a [Network] and of a [Stream] fails with,
// but for io.EOF.
type Failure struct {
	Kind FailKind
	Err  error // the host's own words; may be nil
	// Traffic is what a failed attempt to connect had carried by then.
	Traffic Traffic
}

// Error gives the kind and the host's own words.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Kind.String()
	}
	return f.Kind.String() + ": " + f.Err.Error()
}

// Unwrap returns the host's error.
func (f *Failure) Unwrap() error { return f.Err }

// KindOf returns the kind of the *Failure in err; FailOther when there is none.
func KindOf(err error) FailKind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return FailOther
}

// classify makes a *Failure of an error of the host's network. io.EOF stays.
func classify(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Kind: kindOfHost(err), Err: err}
}

func kindOfHost(err error) FailKind {
	var dns *net.DNSError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") {
		return FailTLS // how crypto/tls reports an alert after the handshake
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return FailTimeout
	case errors.Is(err, context.Canceled):
		return FailInterrupted
	case errors.As(err, &dns):
		return FailNoHost
	case errors.As(err, &alert), errors.As(err, &record), errors.As(err, &cert):
		return FailTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return FailRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF):
		return FailReset
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return FailUnreachable
	case errors.Is(err, syscall.ETIMEDOUT):
		return FailTimeout
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return FailClosed
	}
	return FailOther
}
