package cluster

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// A topic is a subject with one token for each level. Bytes that NATS gives a meaning to, and "%",
// are written %XX; an empty level is "%". Topics that begin with $ lie below another prefix, since
// no wildcard at the front of a filter reaches them. NATS's ">" wants at least one token, which is
// how AWS understands "#".

const (
	plainTopics    = "m."
	reservedTopics = "s."
)

// topicSubject gives the subject of a topic, below a prefix.
func topicSubject(topic string) string {
	var b strings.Builder
	b.WriteString(topicPrefix(topic))
	for i, level := range strings.Split(topic, "/") {
		if i > 0 {
			b.WriteByte('.')
		}
		writeToken(&b, level)
	}
	return b.String()
}

// filterSubject gives the subject with wildcards of a filter.
func filterSubject(filter string) string {
	var b strings.Builder
	b.WriteString(topicPrefix(filter))
	for i, level := range strings.Split(filter, "/") {
		if i > 0 {
			b.WriteByte('.')
		}
		switch level {
		case "+":
			b.WriteByte('*')
		case "#":
			b.WriteByte('>')
		default:
			writeToken(&b, level)
		}
	}
	return b.String()
}

func topicPrefix(topic string) string {
	if strings.HasPrefix(topic, "$") {
		return reservedTopics
	}
	return plainTopics
}

func writeToken(b *strings.Builder, level string) {
	if level == "" {
		b.WriteByte('%')
		return
	}
	for i := range len(level) {
		switch c := level[i]; {
		case c <= ' ', c == '.', c == '*', c == '>', c == '%', c == 0x7F:
			fmt.Fprintf(b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
}

// groupOf splits "$share/GROUP/FILTER".
func groupOf(filter string) (group, rest string, ok bool) {
	rest, ok = strings.CutPrefix(filter, "$share/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// token makes one subject token of any bytes.
func token(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func untoken(t string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(t)
	return string(b), err
}
