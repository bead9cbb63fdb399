package broker

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// SessionStore keeps persistent sessions: one key for what a session is, one for each message
// with QoS 1 that its client has not acknowledged. Calls take effect in their order.
type SessionStore interface {
	// Put writes a key, or with a nil value deletes it, and calls done when that is safe. It
	// must not block, nor must done.
	Put(key string, value []byte, done func(error))
	// Barrier calls done when every Put before it is safe.
	Barrier(done func(error))
	// Each gives every key with its value, in order of keys.
	Each(f func(key string, value []byte) error) error
}

// SessionState is a persistent session as it is kept, or handed to another node.
type SessionState struct {
	ClientID      string          `json:"id"`
	Subscriptions map[string]byte `json:"subs,omitempty"`   // QoS in the low two bits, 4 no local, 8 retain as published
	Expiry        int64           `json:"expiry"`           // seconds
	Away          int64           `json:"away,omitempty"`   // UnixMilli since when; 0 for a client that is connected
	CertID        string          `json:"cert"`             // who it belongs to: decides what is queued
	IP            string          `json:"ip,omitempty"`     // of the last connection
	Remote        string          `json:"remote,omitempty"` // the same with the port
	DomainName    string          `json:"domain,omitempty"` // the endpoint it had asked for
	Queue         []StoredMessage `json:"queue,omitempty"`  // only when it is handed over
	Adopted       func()          `json:"-"`                // called once it is the new node's, if it is set
	ended         bool            // there are only messages left
}

// StoredMessage is a message a client has not acknowledged.
type StoredMessage struct {
	Seq    uint64 `json:"seq"` // its place in the order; gives the packet identifier
	Retain bool   `json:"retain,omitempty"`
	Data   []byte `json:"data"` // AppendMessage's
}

const (
	metaPrefix  = "s\x00"
	queuePrefix = "q\x00"
)

func metaKey(id string) string { return metaPrefix + id }

// queueKey orders a session's messages; a client id has no U+0000 in it.
func queueKey(id string, seq uint64) string {
	b := make([]byte, 0, len(queuePrefix)+len(id)+9)
	b = append(append(append(b, queuePrefix...), id...), 0)
	return string(binary.BigEndian.AppendUint64(b, seq))
}

// store writes a message of a persistent session. s.mu is held.
func (s *session) store(o *outgoing) {
	value := AppendMessage(append(make([]byte, 0, 64+len(o.m.Topic)+len(o.m.Payload)), flagOf(o.retain)), o.m)
	s.b.cfg.Sessions.Put(queueKey(s.id, o.seq), value, s.b.stored)
}

// unstore deletes a message that needs no keeping any more. s.mu is held.
func (s *session) unstore(o *outgoing) {
	if o.stored {
		s.b.cfg.Sessions.Put(queueKey(s.id, o.seq), nil, s.b.stored)
	}
}

// save writes what the session is. s.mu is held.
func (s *session) save() {
	if s.b.cfg.Sessions == nil || s.clean {
		return
	}
	text, err := json.Marshal(s.state())
	if err != nil {
		return // strings and numbers
	}
	s.b.cfg.Sessions.Put(metaKey(s.id), text, s.b.stored)
}

// state describes the session without its queue. s.mu is held.
func (s *session) state() *SessionState {
	st := &SessionState{
		ClientID: s.id, Expiry: int64(s.expiry / time.Second), CertID: s.peer.CertID, Remote: s.peer.Remote,
		DomainName: s.peer.DomainName, Subscriptions: make(map[string]byte, len(s.subs)),
	}
	if s.peer.IP.IsValid() {
		st.IP = s.peer.IP.String()
	}
	if s.conn == nil {
		st.Away = s.expires.Add(-s.expiry).UnixMilli()
	}
	for f, o := range s.subs {
		st.Subscriptions[f] = byte(o)
	}
	return st
}

// unsave deletes all that is kept of the session. s.mu is held.
func (s *session) unsave() {
	if s.b.cfg.Sessions == nil || s.clean {
		return
	}
	for i := range s.inflight {
		s.unstore(&s.inflight[i])
	}
	for i := range s.queue {
		s.unstore(&s.queue[i])
	}
	s.b.cfg.Sessions.Put(metaKey(s.id), nil, s.b.stored)
}

// stored notes the outcome of a write. After one that failed no acknowledgement is given until
// one succeeds again.
func (b *Broker) stored(err error) {
	if err == nil {
		b.storeFails.Store(false)
		return
	}
	if !b.storeFails.Swap(true) {
		b.log(event.Trouble, Peer{}, "", "persistent sessions cannot be stored: "+err.Error())
	}
}

// loadSessions brings back what Sessions has kept.
func (b *Broker) loadSessions() error {
	states, err := ReadSessions(b.cfg.Sessions.Each)
	if err != nil {
		return err
	}
	for _, st := range states {
		if !st.ended {
			if err := b.adopt(st, true); err != nil {
				return err
			}
			continue
		}
		for _, q := range st.Queue {
			b.cfg.Sessions.Put(queueKey(st.ClientID, q.Seq), nil, b.stored)
		}
	}
	return nil
}

// SessionKey tells whose session a key of a SessionStore belongs to, and whether it is the one
// that says what the session is; "" for no such key.
func SessionKey(key string) (clientID string, whole bool) {
	if id, ok := strings.CutPrefix(key, metaPrefix); ok {
		return id, true
	}
	if rest, ok := strings.CutPrefix(key, queuePrefix); ok && len(rest) >= 9 {
		return rest[:len(rest)-9], false
	}
	return "", false
}

// ReadSessions makes states of what a SessionStore has kept; each is its Each, or a part of it.
// Messages of a session that had ended come as a state that Adopt refuses.
func ReadSessions(each func(f func(key string, value []byte) error) error) ([]*SessionState, error) {
	states := map[string]*SessionState{}
	err := each(func(key string, value []byte) error {
		id, whole := SessionKey(key)
		st := states[id]
		if st == nil {
			st = &SessionState{ended: true}
			states[id] = st
		}
		switch {
		case whole:
			if err := json.Unmarshal(value, st); err != nil {
				return fmt.Errorf("the stored session of client %q is damaged: %w", id, err)
			}
			st.ended = false
		case len(value) == 0 || key == "" || key[0] != queuePrefix[0]:
			return fmt.Errorf("the stored sessions are damaged: there is a key %q", key)
		default:
			seq := binary.BigEndian.Uint64([]byte(key[len(key)-8:]))
			st.Queue = append(st.Queue, StoredMessage{Seq: seq, Retain: value[0] != 0, Data: value[1:]})
		}
		st.ClientID = id
		return nil
	})
	var list []*SessionState
	for _, id := range slices.Sorted(maps.Keys(states)) {
		list = append(list, states[id])
	}
	return list, err
}

// adopt makes a session, with its client away, from its state. stored says that Sessions has
// it already.
func (b *Broker) adopt(st *SessionState, stored bool) error {
	s := &session{b: b, id: st.ClientID, subs: map[string]subOptions{}, expiry: time.Duration(st.Expiry) * time.Second}
	s.away.Store(true)
	s.peer = Peer{CertID: st.CertID, Remote: st.Remote, DomainName: st.DomainName}
	s.peer.IP, _ = netip.ParseAddr(st.IP)
	var err error
	if s.policy, err = b.cfg.Authorize(s.peer, s.id, nil); err != nil {
		s.policy = policy.Compile(nil, &policy.Vars{}) // nothing is queued for it
	}
	since := b.cfg.Clock.Now()
	if st.Away != 0 {
		since = time.UnixMilli(st.Away)
	}
	s.expires = since.Add(s.expiry)
	slices.SortFunc(st.Queue, func(x, y StoredMessage) int { return int(int64(x.Seq - y.Seq)) })
	for _, q := range st.Queue {
		m, err := ParseMessage(q.Data)
		if err != nil {
			return fmt.Errorf("a stored message of client %q: %w", s.id, err)
		}
		o := outgoing{m: m, seq: q.Seq, qos: 1, retain: q.Retain, stored: b.cfg.Sessions != nil}
		s.seq = q.Seq
		s.queue = append(s.queue, o)
		s.queueBytes += len(m.Payload)
		if !stored && o.stored {
			s.store(&o)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := b.sessions[s.id]; old != nil {
		return fmt.Errorf("client %q has a session here already", s.id)
	}
	b.sessions[s.id] = s
	for f, o := range st.Subscriptions {
		s.subs[f] = subOptions(o)
		b.subscribe(f, s, subOptions(o))
	}
	if !stored {
		s.save()
	}
	b.tick()
	return nil
}
