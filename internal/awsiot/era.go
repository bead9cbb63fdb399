package awsiot

import (
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// Era is what AWS IoT Core was like at a time, as far as it changed under devices in the field.
type Era struct {
	Name      string
	LegacyOff bool           // endpoint names without -ats are refused
	RetainOff bool           // RETAIN closes the connection
	MQTT5Off  bool           // only MQTT 3.1.1
	NoSNI     identity.NoSNI // which endpoint a TLS hello that names none reaches
	About     string
}

// EraAny takes all that AWS took at any time. It is the default: firmware of 2019 and clients of
// today work against it.
const EraAny = "any"

// eras are in order of time. Sources: the announcements of August 2021 (retained messages) and
// November 2022 (MQTT 5); the developer guide of 2022 ("attempts to connect without SNI are
// refused") and today's ("clients can send SNI", "Symantec is no longer supported"). Which
// identity a hello without SNI got before 2022, and gets today, is not known: the legacy one is
// our choice for the time when it was the default, the ATS one for today.
func eras() []Era {
	return []Era{
		{EraAny, false, false, false, identity.NoSNIATS, "all that AWS took at any time"},
		{"2019", false, true, true, identity.NoSNILegacy, "legacy endpoints, no retained messages, no MQTT 5"},
		{"2021", false, false, true, identity.NoSNILegacy, "legacy endpoints, retained messages, no MQTT 5"},
		{"2023", false, false, false, identity.NoSNIRefuse, "legacy endpoints, MQTT 5; without SNI no connection"},
		{"today", true, false, false, identity.NoSNIATS, "only endpoints with -ats"},
	}
}

// EraNamed finds an era.
func EraNamed(name string) (Era, error) {
	var known []string
	for _, e := range eras() {
		if e.Name == name {
			return e, nil
		}
		known = append(known, fmt.Sprintf("%s (%s)", e.Name, e.About))
	}
	return Era{}, fmt.Errorf("era %q is not known; known are %s", name, strings.Join(known, "; "))
}

// Apply puts the era into a configuration.
func (e Era) Apply(c *Config) {
	c.LegacyOff, c.RetainOff, c.MQTT5Off, c.NoSNI = e.LegacyOff, e.RetainOff, e.MQTT5Off, e.NoSNI
}
