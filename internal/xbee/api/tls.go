package api

import (
	"fmt"

	"github.com/skep-sim/skep/internal/xbee/modem"
)

// tlsProfiles are how many settings $0, $1, $2 there are.
const tlsProfiles = 3

// tlsProfile reads the files of a TLS profile. A file that is missing, and a
// certificate without its key or root, is found out here, as the profile is
// only looked at when it is used (guide 90002253, $0).
func (a *API) tlsProfile(n byte) (modem.Credentials, error) {
	if n >= tlsProfiles {
		return modem.Credentials{}, fmt.Errorf("there is no TLS profile %d: use 0, 1 or 2", n)
	}
	name := fmt.Sprintf("$%d", n)
	setting := a.conf.Registers.Active(name).Text()
	c, err := a.conf.Credentials(setting)
	if err != nil {
		return c, fmt.Errorf("AT%s (%s): %w", name, setting, err)
	}
	if (c.Certificate.Data == nil) != (c.Key.Data == nil) || c.Certificate.Data != nil && c.CA.Data == nil {
		return c, fmt.Errorf("AT%s (%s): a certificate needs its key and a root: give all three, or the root alone, or none", name, setting)
	}
	return c, nil
}

// tlsVersion is ATTL as TLS numbers its versions: 0 is SSL 3.0, 3 is TLS 1.2, 4
// is TLS 1.3.
func (a *API) tlsVersion() uint16 { return 0x0300 + uint16(a.conf.Registers.Active("TL").Int()) }
