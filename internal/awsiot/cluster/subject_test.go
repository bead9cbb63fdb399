package cluster

import (
	"strings"
	"testing"
)

func TestSubjects(t *testing.T) {
	for topic, want := range map[string]string{
		"a":                    "m.a",
		"a/b":                  "m.a.b",
		"a.b/c d":              "m.a%2Eb.c%20d",
		"*/>/%":                "m.%2A.%3E.%25",
		"/a//b/":               "m.%.a.%.b.%",
		"$aws/things/T/shadow": "s.$aws.things.T.shadow",
		"é/日本":                 "m.é.日本",
	} {
		if got := topicSubject(topic); got != want {
			t.Errorf("topic %q: %q, want %q", topic, got, want)
		}
		if got := filterSubject(topic); got != want {
			t.Errorf("the same as a filter: %q, want %q", got, want)
		}
	}
	for filter, want := range map[string]string{
		"#": "m.>", "a/#": "m.a.>", "+/b": "m.*.b", "$aws/things/+/shadow/#": "s.$aws.things.*.shadow.>", "a+/b": "m.a+.b",
	} {
		if got := filterSubject(filter); got != want {
			t.Errorf("filter %q: %q, want %q", filter, got, want)
		}
	}
}

func TestGroups(t *testing.T) {
	group, rest, ok := groupOf("$share/g/a/#")
	if group != "g" || rest != "a/#" || !ok {
		t.Errorf("%q %q %v", group, rest, ok)
	}
	if _, _, ok := groupOf("a/b"); ok {
		t.Error("no group")
	}
}

// FuzzSubject wants every topic to be a subject of its own that NATS takes.
func FuzzSubject(f *testing.F) {
	f.Add("a/b", "a.b")
	f.Add("%", "")
	f.Add("a/%2E", "a/.")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := topicSubject(a), topicSubject(b)
		if (x == y) != (a == b) {
			t.Errorf("%q and %q are %q and %q", a, b, x, y)
		}
		if strings.ContainsAny(x, " \t\r\n*>\x00\x7F") || strings.Contains(x, "..") || strings.HasSuffix(x, ".") {
			t.Errorf("%q is no subject: %q", a, x)
		}
		if back, err := untoken(token(a)); back != a || err != nil {
			t.Errorf("token %q: %q, %v", a, back, err)
		}
	})
}

// TestOwner spreads things over nodes, and moves only those of a node that goes.
func TestOwner(t *testing.T) {
	c := &Cluster{node: "n1", members: map[string]*member{"n2": {}, "n3": {}}}
	of := map[string]int{}
	before := map[string]string{}
	for i := range 3000 {
		thing := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + token(string(rune(i)))
		before[thing] = c.owner(thing)
		of[before[thing]]++
	}
	for node, n := range of {
		if n < len(before)/5 {
			t.Errorf("node %s serves %d of %d things", node, n, len(before))
		}
	}
	delete(c.members, "n2")
	for thing, node := range before {
		if now := c.owner(thing); node != "n2" && now != node {
			t.Errorf("%s has moved from %s to %s", thing, node, now)
		}
	}
}

func TestCopies(t *testing.T) {
	l := links{recent: map[string]struct{}{}, ring: make([]string, 4)}
	for i, want := range []bool{true, false, true, true, true, true, true} {
		id := []string{"a", "a", "b", "c", "d", "e", "a"}[i]
		if got := l.fresh(id); got != want {
			t.Errorf("%d, %s: %v", i, id, got)
		}
	}
}

func TestProgress(t *testing.T) {
	l := links{}
	for seq := range uint64(4) {
		l.begin(seq + 1)
	}
	for _, tt := range [][2]uint64{{2, 0}, {1, 2}, {4, 2}, {3, 4}} {
		if l.end(tt[0]); l.progress() != tt[1] {
			t.Errorf("after %d: %d, want %d", tt[0], l.progress(), tt[1])
		}
	}
}
