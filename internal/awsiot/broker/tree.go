package broker

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// subscriber takes messages. deliver must not block; it says whether the message is on its way
// to the store.
type subscriber interface {
	deliver(m *Message, o subOptions) (storing bool)
	// online says whether a message would reach somebody now.
	online() bool
}

// subOptions are what a subscription asks for, as MQTT 5 writes them: QoS in the low bits.
type subOptions byte

const (
	optNoLocal           subOptions = 1 << 2 // not what the client published itself
	optRetainAsPublished subOptions = 1 << 3 // with the RETAIN flag it was published with
	optRetained          subOptions = 1 << 4 // it is a retained message, sent for a SUBSCRIBE
)

func (o subOptions) qos() byte { return byte(o & 3) }

// tree holds subscriptions by level of their filters.
type tree struct {
	mu   sync.RWMutex
	root node
}

type node struct {
	children map[string]*node
	subs     map[subscriber]subOptions
	shared   map[string]*share // by name of the group
}

// share is a group of a shared subscription: one of its members gets each message.
type share struct {
	members []target
	next    atomic.Uint32
}

// splitShare takes $share/GROUP/ from a filter; group is "" for one that is not shared.
func splitShare(filter string) (group, rest string) {
	after, ok := strings.CutPrefix(filter, "$share/")
	if !ok {
		return "", filter
	}
	group, rest, _ = strings.Cut(after, "/")
	return group, rest
}

// add subscribes s to filter, replacing earlier options. It says whether this is the first
// subscription to it.
func (t *tree) add(filter string, s subscriber, o subOptions) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	group, filter := splitShare(filter)
	n := &t.root
	for rest, more := filter, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		child := n.children[level]
		if child == nil {
			child = &node{}
			if n.children == nil {
				n.children = map[string]*node{}
			}
			n.children[strings.Clone(level)] = child
		}
		n = child
	}
	if group == "" {
		if n.subs == nil {
			n.subs = map[subscriber]subOptions{}
		}
		n.subs[s] = o
		return len(n.subs) == 1
	}
	g := n.shared[group]
	if g == nil {
		if n.shared == nil {
			n.shared = map[string]*share{}
		}
		g = &share{}
		n.shared[group] = g
	}
	if i := g.find(s); i >= 0 {
		g.members[i].opts = o
	} else {
		g.members = append(g.members, target{s, o})
	}
	return len(g.members) == 1
}

func (g *share) find(s subscriber) int {
	return slices.IndexFunc(g.members, func(t target) bool { return t.sub == s })
}

// members is how many subscribers a shared filter has.
func (t *tree) members(filter string) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	group, filter := splitShare(filter)
	if g := t.find(filter).group(group); g != nil {
		return len(g.members)
	}
	return 0
}

// find gives a filter's node, nil if there is none. t.mu is held.
func (t *tree) find(filter string) *node {
	n := &t.root
	for rest, more := filter, true; more && n != nil; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		n = n.children[level]
	}
	return n
}

func (n *node) group(name string) *share {
	if n == nil {
		return nil
	}
	return n.shared[name]
}

// remove ends s's subscription to filter and drops what nobody needs any more. It says whether
// that was the last subscription to it.
func (t *tree) remove(filter string, s subscriber) (last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	group, filter := splitShare(filter)
	return t.root.remove(filter, true, group, s)
}

func (n *node) remove(rest string, more bool, group string, s subscriber) (last bool) {
	if !more {
		return n.drop(group, s)
	}
	level, rest, more := strings.Cut(rest, "/")
	child := n.children[level]
	if child == nil {
		return false
	}
	last = child.remove(rest, more, group, s)
	if len(child.subs) == 0 && len(child.shared) == 0 && len(child.children) == 0 {
		delete(n.children, level)
	}
	return last
}

func (n *node) drop(group string, s subscriber) (last bool) {
	if group == "" {
		_, there := n.subs[s]
		delete(n.subs, s)
		return there && len(n.subs) == 0
	}
	g := n.shared[group]
	if g == nil {
		return false
	}
	i := g.find(s)
	if i < 0 {
		return false
	}
	g.members = slices.Delete(g.members, i, i+1)
	if len(g.members) == 0 {
		delete(n.shared, group)
		return true
	}
	return false
}

// filters are all that have a subscriber, in order.
func (t *tree) filters() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []string
	t.root.filters("", &out)
	slices.Sort(out)
	return out
}

func (n *node) filters(path string, out *[]string) {
	for level, child := range n.children {
		name := path + level
		if len(child.subs) > 0 {
			*out = append(*out, name)
		}
		for group := range child.shared {
			*out = append(*out, "$share/"+group+"/"+name)
		}
		child.filters(name+"/", out)
	}
}

// target is a subscriber of a topic with what it asked for.
type target struct {
	sub  subscriber
	opts subOptions
}

// match appends the subscribers of topic to out, each once, and with groups one member of each
// group.
func (t *tree) match(topic string, out []target, groups bool) []target {
	t.mu.RLock()
	defer t.mu.RUnlock()
	sources := 0
	out = t.root.match(topic, true, topic != "" && topic[0] == '$', groups, out, &sources)
	if sources > 1 {
		return unique(out)
	}
	return out
}

// matchGroup gives one member of a group, false if it has none here.
func (t *tree) matchGroup(filter string) (target, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	group, filter := splitShare(filter)
	g := t.find(filter).group(group)
	if g == nil {
		return target{}, false
	}
	return g.choose(), true
}

// match walks on; reserved forbids wildcards at this level. sources counts the filters that
// gave subscribers: one subscriber is only there twice when there are two. The slice goes
// through arguments and results, so that the caller's can stay on its stack.
func (n *node) match(rest string, more, reserved, groups bool, out []target, sources *int) []target {
	if !more {
		return n.collect(groups, out, sources)
	}
	// AWS: `#` stands for one level at least, so `a/#` does not match `a`.
	if hash := n.children["#"]; hash != nil && !reserved {
		out = hash.collect(groups, out, sources)
	}
	level, rest, more := strings.Cut(rest, "/")
	if child := n.children[level]; child != nil {
		out = child.match(rest, more, false, groups, out, sources)
	}
	if plus := n.children["+"]; plus != nil && !reserved {
		out = plus.match(rest, more, false, groups, out, sources)
	}
	return out
}

func (n *node) collect(groups bool, out []target, sources *int) []target {
	if len(n.subs) > 0 {
		*sources++
	}
	for s, o := range n.subs {
		out = append(out, target{s, o})
	}
	if !groups {
		return out
	}
	for _, g := range n.shared {
		*sources++
		out = append(out, g.choose())
	}
	return out
}

// choose takes the members in turn; one that is away only if all are.
func (g *share) choose() target {
	from := int(g.next.Add(1))
	for i := range g.members {
		if t := g.members[(from+i)%len(g.members)]; t.sub.online() {
			return t
		}
	}
	return g.members[from%len(g.members)]
}

// unique leaves one entry a subscriber, with the best QoS. What only one of its filters refuses
// (no local) or asks for (retain as published) counts for what both give.
func unique(list []target) []target {
	at := make(map[subscriber]int, len(list))
	out := list[:0]
	for _, t := range list {
		if i, ok := at[t.sub]; ok {
			a, b := out[i].opts, t.opts
			out[i].opts = subOptions(max(a.qos(), b.qos())) | a&b&optNoLocal | (a|b)&optRetainAsPublished
			continue
		}
		at[t.sub] = len(out)
		out = append(out, t)
	}
	return out
}
