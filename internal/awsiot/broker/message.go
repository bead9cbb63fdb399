package broker

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// Message is a message as the program inside sees it. One that has been handed to the broker,
// or came from it, must not be changed.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	// Properties are those of MQTT 5; nil for none.
	Properties *Properties
	// From is the client that published it; nil is AWS IoT itself or the program inside.
	From *Sender
	// Acked, when not nil, is called when a client has acknowledged it (QoS 1); under a lock,
	// so it must not block or call back.
	Acked func()

	deadline int64 // UnixMilli after which the message is worth nothing; 0 for never
}

// Sender is who published a message.
type Sender struct {
	ClientID string // "" over HTTPS
	CertID   string // the principal
	IP       netip.Addr
}

// Properties are what an MQTT 5 message has besides topic and payload.
type Properties struct {
	HasFormat     bool   // Format was given
	Format        byte   // payload format indicator: 0 bytes, 1 UTF-8 text
	HasExpiry     bool   // Expiry was given
	Expiry        uint32 // seconds the message is worth keeping from when it was published
	ContentType   string
	ResponseTopic string
	Correlation   []byte
	User          []UserProperty
}

// UserProperty is a name and a value that mean something to clients only. Names may repeat.
type UserProperty struct{ Key, Value string }

// received settles the message's deadline from now.
func (m *Message) received(now time.Time) {
	if p := m.Properties; p != nil && p.HasExpiry && m.deadline == 0 {
		m.deadline = now.Add(time.Duration(p.Expiry) * time.Second).UnixMilli()
	}
}

// expired says that nobody wants the message any more.
func (m *Message) expired(now time.Time) bool {
	return m.deadline != 0 && now.UnixMilli() > m.deadline
}

// AppendMessage encodes m, all of it, for a store or another node; ParseMessage reads it. The
// first byte is the version of the format.
func AppendMessage(b []byte, m *Message) []byte {
	p := m.Properties
	flags := m.QoS
	for i, set := range [...]bool{m.Retain, p != nil, m.From != nil, p != nil && p.HasFormat, p != nil && p.HasExpiry} {
		if set {
			flags |= 4 << i
		}
	}
	b = append(b, 1, flags)
	b = binary.AppendVarint(b, m.deadline)
	b = appendText(b, m.Topic)
	b = appendText(b, string(m.Payload))
	if f := m.From; f != nil {
		b = appendText(b, f.ClientID)
		b = appendText(b, f.CertID)
		b = appendText(b, string(f.IP.AsSlice()))
	}
	if p != nil {
		b = append(b, p.Format)
		b = binary.AppendUvarint(b, uint64(p.Expiry))
		b = appendText(b, p.ContentType)
		b = appendText(b, p.ResponseTopic)
		b = appendText(b, string(p.Correlation))
		b = binary.AppendUvarint(b, uint64(len(p.User)))
		for _, u := range p.User {
			b = appendText(b, u.Key)
			b = appendText(b, u.Value)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errMessage = errors.New("the encoded message is damaged")

// ParseMessage reads what AppendMessage wrote. It keeps nothing of b.
func ParseMessage(b []byte) (*Message, error) {
	r := fields{b: b}
	if r.byte() != 1 {
		return nil, errMessage
	}
	flags := r.byte()
	m := &Message{QoS: flags & 3, Retain: flags&4 != 0, deadline: r.varint()}
	m.Topic, m.Payload = r.text(), []byte(r.text())
	if flags&16 != 0 {
		m.From = &Sender{ClientID: r.text(), CertID: r.text()}
		m.From.IP, _ = netip.AddrFromSlice([]byte(r.text()))
	}
	if flags&8 != 0 {
		p := &Properties{HasFormat: flags&32 != 0, HasExpiry: flags&64 != 0, Format: r.byte(), Expiry: uint32(r.uvarint())}
		p.ContentType, p.ResponseTopic = r.text(), r.text()
		if c := r.text(); c != "" {
			p.Correlation = []byte(c)
		}
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			p.User = append(p.User, UserProperty{r.text(), r.text()})
		}
		m.Properties = p
	}
	if r.bad || len(r.b) > 0 {
		return nil, errMessage
	}
	return m, nil
}

// fields reads an encoding from front to back; bad stays set once something is missing.
type fields struct {
	b   []byte
	bad bool
}

func (r *fields) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *fields) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *fields) varint() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *fields) skip(n int) {
	if n <= 0 {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *fields) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	v := string(r.b[:n])
	r.b = r.b[n:]
	return v
}
