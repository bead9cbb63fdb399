package modem

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// reason is what the host said, without the kind of failure before it.
func reason(err error) error {
	var f *world.Failure
	if errors.As(err, &f) && f.Err != nil {
		return f.Err
	}
	return err
}

// explainTLS says why a TLS connection failed, and what to do. The device
// itself has one number for all of it.
func (m *Modem) explainTLS(err error) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	text := reason(err).Error()
	switch kind := world.KindOf(err); {
	case kind == world.FailRefused:
		return "nobody listens there"
	case kind == world.FailReset || kind == world.FailClosed:
		return "the server broke the connection off (" + text + ")"
	case kind == world.FailUnreachable:
		return "there is no way to that address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("a certificate of the server is not valid at the device's time, %s (%s)", m.clock.Now().Format(time.RFC3339), invalid.Error())
	case errors.As(err, &unknown):
		return "the server's certificate is not signed by the one given as ca_certs: use the root that its chain ends in"
	case strings.Contains(text, "remote error") || strings.Contains(text, "handshake failure"):
		return "the server refused: " + m.explainAlert(text)
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the server does not speak TLS on this port"
	}
	return text
}

// explainAlert adds what usually lies behind an alert.
func (m *Modem) explainAlert(text string) string {
	switch {
	case strings.Contains(text, "handshake failure"), strings.Contains(text, "insufficient security"):
		text += "; perhaps it wants a client certificate (certfile, keyfile and ca_certs)"
		if m.profile.Model == profile.LTEM {
			text += " or a key exchange other than RSA, the only one this modem has"
		}
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate"),
		strings.Contains(text, "unknown certificate"), strings.Contains(text, "access denied"):
		text += "; it wants a client certificate that it knows: check certfile and keyfile"
	case strings.Contains(text, "protocol version"):
		text += "; this modem has TLS up to version 1.2"
	}
	return text
}
