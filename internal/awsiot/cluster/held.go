package cluster

import (
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// held keeps what is stored of a session that another node takes over until that has stored it.
type held struct {
	mu      sync.Mutex
	deletes map[string][]heldDelete  // by client: what is to be deleted then
	waiting map[string]chan struct{} // closed by the confirmation
	to      map[string]string        // by client that came here: the node that waits for our word
	kept    map[string]kept          // by client: what was handed over and is not confirmed
}

// kept is a session that was handed over. Should its new node die before it has stored it, another node that
// the client comes to gets it from here.
type kept struct {
	s    surrender
	node string // to which
}

type heldDelete struct {
	key  string
	done func(error)
}

// begin keeps what is stored of a client's session from now on. What it gives is closed when the new node has
// stored the session.
func (h *held) begin(client string) (confirmed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deletes[client] == nil {
		h.deletes[client] = []heldDelete{}
	}
	ch := make(chan struct{})
	h.waiting[client] = ch
	return ch
}

func (h *held) confirm(client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ch := h.waiting[client]; ch != nil {
		close(ch)
		delete(h.waiting, client)
		delete(h.kept, client)
	}
}

// keep notes what is handed over to a node.
func (h *held) keep(client, node string, s surrender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[client] = kept{s, node}
}

// keeps gives what was handed over and is not confirmed.
func (h *held) keeps(client string) (kept, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.kept[client]
	return k, ok
}

// confirmTo notes whom to tell when the session of a client is stored here.
func (h *held) confirmTo(client, node string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to[client] = node
}

func (h *held) forget(client string) []heldDelete {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.deletes[client]
	delete(h.deletes, client)
	delete(h.waiting, client)
	delete(h.kept, client)
	return list
}

// hold takes a write of a session; false says that it is to be done now.
func (h *held) hold(client, key string, value []byte, done func(error)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, ok := h.deletes[client]
	if !ok {
		return false
	}
	if value == nil {
		h.deletes[client] = append(list, heldDelete{key, done})
		return true
	}
	for i := range list { // it is back, and has something new there
		if list[i].key == key {
			h.deletes[client] = append(list[:i], list[i+1:]...)
			break
		}
	}
	return false
}

// sessions is where the broker of this node keeps its persistent sessions; it is a
// broker.SessionStore.
type sessions struct {
	c    *Cluster
	part store.SessionPart
}

// Sessions is where the broker of this node keeps its persistent sessions.
func (c *Cluster) Sessions() broker.SessionStore {
	return sessions{c, c.cfg.State.SessionsOf(c.node)}
}

// Put implements broker.SessionStore.
func (s sessions) Put(key string, value []byte, done func(error)) {
	client, whole := broker.SessionKey(key)
	if s.c.held.hold(client, key, value, done) {
		go done(nil)
		return
	}
	if whole && value != nil {
		s.c.held.mu.Lock()
		node := s.c.held.to[client]
		delete(s.c.held.to, client)
		s.c.held.mu.Unlock()
		if node != "" {
			told := done
			done = func(err error) {
				if err == nil {
					s.c.confirm(client, node)
				}
				told(err)
			}
		}
	}
	s.part.Put(key, value, done)
}

// Barrier implements broker.SessionStore.
func (s sessions) Barrier(done func(error)) { s.part.Barrier(done) }

// Each implements broker.SessionStore.
func (s sessions) Each(f func(key string, value []byte) error) error { return s.part.Each(f) }

// release deletes what was held.
func (h *held) releaseTo(client string, part store.SessionPart) {
	for _, d := range h.forget(client) {
		part.Put(d.key, nil, func(error) {})
	}
}

// clientsOf lists the sessions that are stored for a node.
func clientsOf(part store.SessionPart, client string) ([]*broker.SessionState, []string, error) {
	var keys []string
	states, err := broker.ReadSessions(func(f func(key string, value []byte) error) error {
		return part.Each(func(key string, value []byte) error {
			if whose, _ := broker.SessionKey(key); client != "" && whose != client {
				return nil
			}
			keys = append(keys, strings.Clone(key))
			return f(key, value)
		})
	})
	return states, keys, err
}
