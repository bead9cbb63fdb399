package shadow

import "strings"

// Key names a shadow: a thing's classic one (Name "") or a named one.
type Key struct{ Thing, Name string }

// String is how AWS's messages name it.
func (k Key) String() string {
	if k.Name == "" {
		return k.Thing
	}
	return k.Thing + "~" + k.Name
}

// Topic is the shadow's MQTT topic with the given end, such as "update/accepted".
func (k Key) Topic(end string) string {
	if k.Name == "" {
		return "$aws/things/" + k.Thing + "/shadow/" + end
	}
	return "$aws/things/" + k.Thing + "/shadow/name/" + k.Name + "/" + end
}

// Limits of names (AWS service quotas).
const (
	maxThingName  = 128
	maxShadowName = 64
)

// Valid says whether the names have the length and characters AWS allows.
func (k Key) Valid() bool {
	return validName(k.Thing, maxThingName) && (k.Name == "" || validName(k.Name, maxShadowName))
}

// ValidThing says whether s can be a thing's name: 1 to 128 of A-Z a-z 0-9 : _ -
func ValidThing(s string) bool { return validName(s, maxThingName) }

func validName(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != ':' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// ParseTopic takes a shadow topic apart: "$aws/things/T/shadow/update/accepted" gives T's
// classic shadow and "update/accepted". It does not look whether end is known.
func ParseTopic(topic string) (key Key, end string, ok bool) {
	rest, ok := strings.CutPrefix(topic, "$aws/things/")
	if !ok {
		return key, "", false
	}
	if key.Thing, rest, ok = strings.Cut(rest, "/shadow/"); !ok || strings.Contains(key.Thing, "/") {
		return key, "", false
	}
	if named, is := strings.CutPrefix(rest, "name/"); is {
		if key.Name, rest, ok = strings.Cut(named, "/"); !ok || key.Name == "" {
			return key, "", false
		}
	}
	return key, rest, key.Valid()
}
