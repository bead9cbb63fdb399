package policy

import (
	"net/netip"
	"strings"
	"time"
)

// Vars are the facts of one connection that policy variables and condition keys speak of.
type Vars struct {
	// ClientID is the MQTT client id; HTTP has none, and then HasClientID is false.
	ClientID    string
	HasClientID bool
	// Attached says that ClientID names a thing and that the certificate is attached to it;
	// the fields below it have a value in a policy only then.
	Attached   bool
	ThingType  string
	Attributes map[string]string

	CertificateID string
	// Certificate holds iot:Certificate.* values by the rest of their name, such as
	// "Subject.CommonName" or "SerialNumber".
	Certificate map[string][]string

	SourceIP netip.Addr
	// DomainName is the endpoint name the client asked for (SNI), "" if it sent none.
	DomainName string
	// ConnectAttributes are "PersistentConnect" and "LastWill" as far as the CONNECT has them.
	ConnectAttributes []string

	// Region and Account are what resource ARNs must name. An empty one is not compared: a
	// policy written for any account then works here.
	Region, Account string

	// Now is asked for aws:CurrentTime and aws:EpochTime, at each check.
	Now func() time.Time
}

// plainVariables are the variable names without a structure of their own.
var plainVariables = []string{
	"iot:ClientId",
	"iot:Connection.Thing.ThingName",
	"iot:Connection.Thing.ThingTypeName",
	"iot:Connection.Thing.IsAttached",
	"iot:CertificateId",
	"iot:Certificate.SerialNumber",
	"iot:DomainName",
	"aws:SourceIp",
	"aws:CurrentTime",
	"aws:EpochTime",
	"aws:SecureTransport",
}

const (
	attributePrefix   = "iot:connection.thing.attributes["
	certificatePrefix = "iot:certificate."
)

// knownVariable says whether ${name} means something in AWS IoT. Names are not case-sensitive.
func knownVariable(name string) bool {
	for _, v := range plainVariables {
		if equalFold(v, name) {
			return true
		}
	}
	low := strings.ToLower(name)
	if strings.HasPrefix(low, attributePrefix) && strings.HasSuffix(low, "]") {
		return true
	}
	rest, ok := strings.CutPrefix(low, certificatePrefix)
	return ok && (strings.HasPrefix(rest, "subject.") || strings.HasPrefix(rest, "issuer.") ||
		strings.HasPrefix(rest, "subjectalternativename.") || strings.HasPrefix(rest, "issueralternativename."))
}

// timeKey says that a key's value changes while a connection lives.
func timeKey(key string) bool {
	return equalFold(key, "aws:CurrentTime") || equalFold(key, "aws:EpochTime")
}

// lookup gives the values of a variable or condition key; none means it has no value here.
func (v *Vars) lookup(a Action, name string) []string {
	low := strings.ToLower(name)
	switch low {
	case "iot:clientid":
		return one(v.ClientID, v.HasClientID)
	case "iot:connection.thing.thingname":
		return one(v.ClientID, v.Attached)
	case "iot:connection.thing.thingtypename":
		return one(v.ThingType, v.Attached && v.ThingType != "")
	case "iot:connection.thing.isattached":
		if v.Attached {
			return []string{"true"}
		}
		return one("false", v.HasClientID)
	case "iot:certificateid":
		return one(v.CertificateID, v.CertificateID != "")
	case "iot:domainname":
		return one(v.DomainName, v.DomainName != "")
	case "iot:connectattributes":
		if a != Connect {
			return nil
		}
		return v.ConnectAttributes
	case "aws:sourceip":
		return one(v.SourceIP.String(), v.SourceIP.IsValid())
	case "aws:securetransport":
		return []string{"true"}
	case "aws:currenttime":
		if v.Now == nil {
			return nil
		}
		return []string{v.Now().UTC().Format("2006-01-02T15:04:05Z")}
	case "aws:epochtime":
		if v.Now == nil {
			return nil
		}
		return []string{itoa(v.Now().Unix())}
	}
	if strings.HasPrefix(low, attributePrefix) && strings.HasSuffix(low, "]") {
		value, ok := v.Attributes[name[len(attributePrefix):len(name)-1]]
		return one(value, ok && v.Attached)
	}
	if strings.HasPrefix(low, certificatePrefix) {
		return v.Certificate[certificateField(name[len(certificatePrefix):])]
	}
	return nil
}

// certificateField strips what only chooses among several values: "Subject.CommonName.0" and
// "Subject.CommonName.List" speak of the same field.
func certificateField(name string) string {
	name = strings.TrimSuffix(name, ".List")
	return strings.TrimSuffix(name, ".0")
}

func one(value string, ok bool) []string {
	if !ok {
		return nil
	}
	return []string{value}
}
