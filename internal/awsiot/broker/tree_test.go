package broker

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestTree compares the tree with the rules applied filter by filter.
func TestTree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	level := func(wild bool) string {
		s := []string{"a", "b", "", "$x", "+", "#"}
		if !wild {
			s = s[:4]
		}
		return s[r.IntN(len(s))]
	}
	var l Limits
	l.Topic, l.TopicSlashes = 256, 7
	topic := func(wild bool) string {
		var parts []string
		for range 1 + r.IntN(4) {
			parts = append(parts, level(wild))
		}
		return strings.Join(parts, "/")
	}
	var tr tree
	type entry struct {
		filter string
		sub    *Watcher
	}
	subs := []*Watcher{{}, {}, {}}
	have := map[entry]byte{}
	for range 2500 {
		f := topic(true)
		if l.checkFilter(f) == "" || strings.HasPrefix(f, "$x") && !strings.Contains(strings.TrimSuffix(f, "#"), "#") {
			e := entry{f, subs[r.IntN(3)]}
			if r.IntN(3) == 0 {
				delete(have, e)
				tr.remove(e.filter, e.sub)
			} else {
				q := byte(r.IntN(2))
				have[e] = q
				tr.add(e.filter, e.sub, subOptions(q))
			}
		}
		name := topic(false)
		want := map[subscriber]byte{}
		for e, q := range have {
			if plainMatch(e.filter, name) {
				want[e.sub] = max(want[e.sub], q)
			}
		}
		got := tr.match(name, nil, true)
		if len(got) != len(want) {
			t.Fatalf("%q: %d subscribers, want %d", name, len(got), len(want))
		}
		for _, g := range got {
			if q, ok := want[g.sub]; !ok || q != g.opts.qos() {
				t.Fatalf("%q: wrong subscriber or QoS", name)
			}
		}
	}
	for e := range have {
		tr.remove(e.filter, e.sub)
	}
	if len(tr.root.children) != 0 {
		t.Fatal("nodes are left")
	}
}

func plainMatch(filter, topic string) bool {
	f, n := strings.Split(filter, "/"), strings.Split(topic, "/")
	if topic != "" && topic[0] == '$' && (f[0] == "+" || f[0] == "#") {
		return false
	}
	for i, level := range f {
		if level == "#" {
			return len(n) > i
		}
		if i >= len(n) || level != "+" && level != n[i] {
			return false
		}
	}
	return len(f) == len(n)
}
