package broker

import (
	"strings"
	"sync"
)

// subscriber takes messages. deliver must not block.
type subscriber interface {
	deliver(m *Message, qos byte)
}

// tree holds subscriptions by level of their filters.
type tree struct {
	mu   sync.RWMutex
	root node
}

type node struct {
	children map[string]*node
	subs     map[subscriber]byte // granted QoS
}

// add subscribes s to filter, replacing an earlier QoS.
func (t *tree) add(filter string, s subscriber, qos byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
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
	if n.subs == nil {
		n.subs = map[subscriber]byte{}
	}
	n.subs[s] = qos
}

// remove ends s's subscription to filter and drops what nobody needs any more.
func (t *tree) remove(filter string, s subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root.remove(filter, true, s)
}

func (n *node) remove(rest string, more bool, s subscriber) {
	if !more {
		delete(n.subs, s)
		return
	}
	level, rest, more := strings.Cut(rest, "/")
	child := n.children[level]
	if child == nil {
		return
	}
	child.remove(rest, more, s)
	if len(child.subs) == 0 && len(child.children) == 0 {
		delete(n.children, level)
	}
}

// target is a subscriber of a topic with the best QoS it was granted.
type target struct {
	sub subscriber
	qos byte
}

// match appends the subscribers of topic to out, each once.
func (t *tree) match(topic string, out []target) []target {
	t.mu.RLock()
	defer t.mu.RUnlock()
	sources := 0
	out = t.root.match(topic, true, topic != "" && topic[0] == '$', out, &sources)
	if sources > 1 {
		out = unique(out)
	}
	return out
}

// match walks on; reserved forbids wildcards at this level. sources counts the filters that
// gave subscribers: one subscriber is only there twice when there are two.
func (n *node) match(rest string, more, reserved bool, out []target, sources *int) []target {
	if !more {
		return n.collect(out, sources)
	}
	// AWS: `#` stands for one level at least, so `a/#` does not match `a`.
	if hash := n.children["#"]; hash != nil && !reserved {
		out = hash.collect(out, sources)
	}
	level, rest, more := strings.Cut(rest, "/")
	if child := n.children[level]; child != nil {
		out = child.match(rest, more, false, out, sources)
	}
	if plus := n.children["+"]; plus != nil && !reserved {
		out = plus.match(rest, more, false, out, sources)
	}
	return out
}

func (n *node) collect(out []target, sources *int) []target {
	if len(n.subs) > 0 {
		*sources++
	}
	for s, qos := range n.subs {
		out = append(out, target{s, qos})
	}
	return out
}

// unique leaves one entry a subscriber, with the best QoS.
func unique(list []target) []target {
	at := make(map[subscriber]int, len(list))
	out := list[:0]
	for _, t := range list {
		if i, ok := at[t.sub]; ok {
			out[i].qos = max(out[i].qos, t.qos)
			continue
		}
		at[t.sub] = len(out)
		out = append(out, t)
	}
	return out
}
