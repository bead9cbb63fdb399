package control

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Control changes and shows what is registered.
type Control struct {
	State *store.Store
	Clock clock.Clock
}

// Quotas of AWS IoT Core ("AWS IoT Core thing resource limits and quotas", "... security and
// identity quotas").
const (
	maxPolicies         = 10 // attached to one certificate
	maxAttributes       = 50
	maxAttributesNoType = 3 // of a thing without a type
	maxSearchable       = 3
	maxAttributeValue   = 800
)

var (
	thingName     = regexp.MustCompile(`^[a-zA-Z0-9:_-]{1,128}$`)
	policyName    = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	attributeName = regexp.MustCompile(`^[a-zA-Z0-9_.,@/:#=\[\]-]{1,128}$`)
	attributeText = regexp.MustCompile(`^[a-zA-Z0-9_.,@/:#=\[\]-]*$`)
	hexDigits     = regexp.MustCompile(`^[0-9a-f]+$`)
)

// minPrefix is how many digits of an id are enough to name it, if no other begins so.
const minPrefix = 4

// find gives the one id that begins so. what is "certificate" or "CA".
func find(what, prefix string, ids []string) (string, error) {
	prefix = strings.ToLower(strings.TrimSuffix(prefix, "…"))
	if !hexDigits.MatchString(prefix) || len(prefix) > 64 {
		return "", fmt.Errorf("%q is not the id of a %s: it is 64 hexadecimal digits, or the first of them, or the name of a PEM file", prefix, what)
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("there is no %s %s here; skep cloud list shows all", what, prefix)
	case len(found) > 1:
		return "", fmt.Errorf("%d %ss begin with %s: give more digits of the id", len(found), what, prefix)
	case len(prefix) < minPrefix:
		return "", fmt.Errorf("give at least %d digits of the %s's id", minPrefix, what)
	}
	return found[0], nil
}

// short is an id as messages have it.
func short(id string) string {
	if len(id) > 10 {
		return id[:10] + "…"
	}
	return id
}

func (c *Control) now() int64 { return c.Clock.Now().Unix() }

// stamp shows a time of the state; zero is "".
func stamp(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// with adds v to a list without repeating it, without drops it. Both copy.
func with(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(slices.Clone(list), v)
}

func without(list []string, v string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == v })
}

// quoted is for messages: "a", "b".
func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}
