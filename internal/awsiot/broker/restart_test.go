package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// memoryStore is a SessionStore whose disk can be slow, broken, or looked at: what has not been
// synced is lost in a crash.
type memoryStore struct {
	mu     sync.Mutex
	disk   map[string]string
	waits  []func()
	hold   bool
	broken error
}

func (m *memoryStore) do(f func()) {
	m.mu.Lock()
	m.waits = append(m.waits, f)
	hold := m.hold
	m.mu.Unlock()
	if !hold {
		go m.sync()
	}
}

// sync does what waits, in order.
func (m *memoryStore) sync() {
	for {
		m.mu.Lock()
		if m.hold || len(m.waits) == 0 {
			m.mu.Unlock()
			return
		}
		f := m.waits[0]
		m.waits = m.waits[1:]
		f()
		m.mu.Unlock()
	}
}

func (m *memoryStore) Put(key string, value []byte, done func(error)) {
	m.do(func() {
		if m.broken == nil && value == nil {
			delete(m.disk, key)
		} else if m.broken == nil {
			m.disk[key] = string(value)
		}
		err := m.broken
		go done(err)
	})
}

func (m *memoryStore) Barrier(done func(error)) { m.do(func() { go done(nil) }) }

func (m *memoryStore) Each(f func(string, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(m.disk)) {
		if err := f(k, []byte(m.disk[k])); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryStore) keys() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.disk)
}

// crashed is a copy of what is on disk now.
func (m *memoryStore) crashed() *memoryStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memoryStore{disk: maps.Clone(m.disk)}
}

func (m *memoryStore) setHold(v bool) {
	m.mu.Lock()
	m.hold = v
	m.mu.Unlock()
	if !v {
		m.sync()
	}
}

// TestRestart: a crash loses no message that was acknowledged to its publisher, and keeps
// packet identifiers, subscriptions and options.
func TestRestart(t *testing.T) {
	disk := &memoryStore{disk: map[string]string{}}
	r := newRig(t, func(c *Config) { c.Sessions, c.Limits.ReplayRate = disk, 0 })
	sub := r.dial5("sub", persistent(3600))
	sub.subscribe(filter("t/+", 1), packets.Subscription{Filter: "own", Qos: 1, NoLocal: true})
	other := r.dial5("other", func(pk *packets.Packet) { v3(pk); pk.Connect.Clean = false })
	other.subscribe(filter("t/+", 1))
	gone := r.dial5("gone", nil)
	gone.subscribe(filter("t/+", 1))
	go gone.drain()
	pub := r.dial5("pub", nil)
	for i := range 4 { // sent to sub, which acknowledges the second
		pub.publish("t/a", fmt.Sprint(i), 1, props(func(p *packets.Properties) { p.ContentType = "c" }))
	}
	var ids []uint16
	for range 4 {
		ids = append(ids, sub.next(packets.Publish).PacketID)
	}
	sub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: ids[1]})
	sub.silent()
	sub.nc.Close()
	r.until("sub has gone", func() bool { return !connected(r, "sub") })
	pub.publish("t/b", "4", 1, nil)
	pub.publish("t/b", "qos 0 is not kept", 0, nil)
	pub.silent()
	r.until("what is on disk", func() bool {
		// Two sessions; four messages for sub, five for other.
		return disk.keys() == 2+4+5
	})

	again := newRig(t, func(c *Config) { c.Sessions, c.Limits.ReplayRate = disk.crashed(), 0 })
	if list := again.Connections(); len(list) != 2 || list[0].ClientID != "other" || list[1].Queued != 4 {
		t.Fatalf("%+v", list)
	}
	if err := again.Publish(Message{Topic: "t/c", Payload: []byte("5"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	sub = again.dial5("sub", persistent(3600))
	if !sub.ack.SessionPresent {
		t.Fatal("the session is gone")
	}
	for i, want := range []string{"0", "2", "3", "4", "5"} {
		m := sub.message()
		if string(m.Payload) != want || i < 3 && m.PacketID != []uint16{ids[0], ids[2], ids[3]}[i] || (i < 3) != (m.Properties.ContentType == "c") {
			t.Errorf("message %d: %q, identifier %d, %+v", i, m.Payload, m.PacketID, m.Properties)
		}
	}
	sub.silent()
	sub.publish("own", "x", 1, nil)
	sub.silent() // no local is kept, too
	sub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, Properties: packets.Properties{SessionExpiryIntervalFlag: true}})
	sub.ends()
	store := again.cfg.Sessions.(*memoryStore)
	again.until("the session's end on disk", func() bool { return store.keys() == 1+6 })

	// Expiry goes on while the program is down.
	late := newRig(t, func(c *Config) {
		c.Sessions = store.crashed()
		c.Clock.(interface{ Advance(time.Duration) }).Advance(2 * time.Hour)
	})
	late.Broker.mu.Lock()
	late.tick()
	late.Broker.mu.Unlock()
	late.until("the old session's end", func() bool { late.clock.Advance(2 * time.Hour); return len(late.Connections()) == 0 })
	late.until("an empty disk", func() bool { return late.cfg.Sessions.(*memoryStore).keys() == 0 })
}

func connected(r *rig, id string) bool {
	c, ok := r.Connection(id)
	return ok && c.Connected
}

// TestAckAfterStore: PUBACK and SUBACK wait for the disk, PUBACKs keep their order, and what is
// relaxed does not wait.
func TestAckAfterStore(t *testing.T) {
	for _, relaxed := range []bool{false, true} {
		disk := &memoryStore{disk: map[string]string{}}
		r := newRig(t, func(c *Config) { c.Sessions, c.RelaxedQoS1 = disk, relaxed })
		sub, pub := r.dial5("sub", persistent(60)), r.dial5("pub", nil)
		sub.subscribe(filter("t", 1))
		disk.setHold(true)
		for i, topic := range []string{"t", "elsewhere", "t"} {
			pub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: topic, PacketID: uint16(i + 1)})
		}
		for range 2 {
			sub.expect("t ")
		}
		if !relaxed {
			pub.silent() // the PINGRESP overtakes the PUBACKs, which wait
		}
		disk.setHold(false)
		for i := range 3 {
			if got := pub.next(packets.Puback).PacketID; got != uint16(i+1) {
				t.Errorf("PUBACK %d is for %d", i, got)
			}
		}
	}
}

// TestDiskFails: without a disk nothing is acknowledged, and the log says why.
func TestDiskFails(t *testing.T) {
	disk := &memoryStore{disk: map[string]string{}}
	r := newRig(t, func(c *Config) { c.Sessions = disk })
	sub, pub := r.dial5("sub", persistent(60)), r.dial5("pub", nil)
	sub.subscribe(filter("t", 1))
	disk.mu.Lock()
	disk.broken = errors.New("no space left")
	disk.mu.Unlock()
	go sub.drain()
	pub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: "t", PacketID: 1})
	r.said("persistent sessions cannot be stored: no space left")
}

// TestDamagedSessions: what cannot be read is an error that names it.
func TestDamagedSessions(t *testing.T) {
	for key, value := range map[string]string{
		metaKey("c"):     "{",
		"x":              "",
		queueKey("c", 1): "",
	} {
		_, err := New(Config{Sessions: &memoryStore{disk: map[string]string{key: value}}}, nil)
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%q: %v", key, err)
		}
	}
	// Messages without their session are swept up.
	disk := &memoryStore{disk: map[string]string{queueKey("c", 1): "\x00x"}}
	r := newRig(t, func(c *Config) { c.Sessions = disk })
	r.until("an empty disk", func() bool { return disk.keys() == 0 })
}

// FuzzParseMessage: no bytes break the decoder, and what it takes is written back the same.
func FuzzParseMessage(f *testing.F) {
	f.Add(AppendMessage(nil, &Message{Topic: "t", Payload: []byte("p"), QoS: 1, From: &Sender{ClientID: "c"}, deadline: 5,
		Properties: &Properties{HasExpiry: true, Expiry: 9, User: []UserProperty{{"a", "b"}}, Correlation: []byte{1}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMessage(data)
		if err != nil {
			return
		}
		again, err := ParseMessage(AppendMessage(nil, m))
		if err != nil || fmt.Sprintf("%+v %+v %+v", *again, again.Properties, again.From) == "" || again.Topic != m.Topic || string(again.Payload) != string(m.Payload) || again.deadline != m.deadline {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
