package broker

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// CONNACK codes of MQTT 3.1.1, and the one of MQTT 5 that says 5 is not spoken.
const (
	connackProtocol   = 1
	connackIdentifier = 2
	connackV5Version  = 0x84
)

// who says, from any goroutine, what is known of the client.
func (c *conn) who() (peer Peer, clientID string) {
	if c.connected.Load() {
		return c.peer, c.sess.id
	}
	return Peer{Remote: c.remote}, ""
}

// overdue says why a connection must end now, nil if it need not.
func (c *conn) overdue(now time.Time) *closure {
	l := &c.b.cfg.Limits
	if !c.connected.Load() {
		if now.Sub(c.accepted) > l.HandshakeTime {
			return &closure{reasonError, fmt.Sprintf("no CONNECT within %v of the TCP connection", l.HandshakeTime)}
		}
		return nil
	}
	if w := c.writing.Load(); w != 0 && now.Sub(time.Unix(0, w)) > l.WriteTime {
		return &closure{reasonLost, fmt.Sprintf("the client has not read for %v", l.WriteTime)}
	}
	if now.Sub(time.Unix(0, c.lastRead.Load())) > c.keepAlive*3/2 {
		return &closure{reasonKeepAlive, fmt.Sprintf("nothing was heard for one and a half times the keep-alive of %v", c.keepAlive)}
	}
	return nil
}

// connect reads CONNECT and, if all is well, attaches the connection to its session.
func (c *conn) connect() bool {
	pk, err := c.readConnect()
	if err != nil {
		switch {
		case c.closing.Load(): // said where it was closed
		case errors.Is(err, io.EOF):
			c.b.log(event.Note, c.peer, "", "the client left before CONNECT")
		default:
			c.b.log(event.Refused, c.peer, pk.Connect.ClientIdentifier, "CONNECT: "+plain(err)+"; the connection is closed")
		}
		c.close(reasonError, plain(err))
		return false
	}
	id := pk.Connect.ClientIdentifier
	refuse := func(reason, text string) bool {
		c.b.log(event.Refused, c.peer, id, text+"; the connection is closed without a CONNACK")
		c.close(reason, text)
		return false
	}
	var attributes []string
	if !pk.Connect.Clean {
		attributes = append(attributes, "PersistentConnect")
	}
	if pk.Connect.WillFlag {
		attributes = append(attributes, "LastWill")
	}
	allowed, err := c.b.cfg.Authorize(c.peer, id, attributes)
	if err != nil {
		return refuse(reasonAuth, err.Error())
	}
	if d := allowed.Check(policy.Connect, id); !d.Allowed {
		return refuse(reasonAuth, fmt.Sprintf("iot:Connect on client/%s: %s", id, d))
	}
	if pk.Connect.WillFlag {
		c.will = &Message{
			Topic: pk.Connect.WillTopic, Payload: pk.Connect.WillPayload, QoS: pk.Connect.WillQos, Retain: pk.Connect.WillRetain, From: &c.sender,
		}
	}
	c.keepAlive = c.b.cfg.Limits.keepAlive(pk.Connect.Keepalive)
	var random [16]byte
	if _, err := io.ReadFull(c.b.cfg.Rand, random[:]); err != nil {
		return refuse(reasonTrouble, "no entropy for a session identifier: "+err.Error())
	}
	c.sessionID = uuid(random)
	return c.b.attach(c, id, pk.Connect.Clean, allowed)
}

// keepAlive is the granted one: AWS clamps what it does not like, and 0 means the longest.
func (l *Limits) keepAlive(seconds uint16) time.Duration {
	d := time.Duration(seconds) * time.Second
	if d == 0 {
		return l.MaxKeepAlive
	}
	return min(max(d, l.MinKeepAlive), l.MaxKeepAlive)
}

// readConnect reads the first packet and checks it against MQTT 3.1.1 and AWS's limits.
func (c *conn) readConnect() (*packets.Packet, error) {
	pk := &packets.Packet{}
	h, body, err := readPacket(c.r, c.b.maxPacket())
	if err != nil {
		return pk, err
	}
	if h.Type != packets.Connect {
		return pk, fault("the first packet is %s, not CONNECT", packets.PacketNames[h.Type])
	}
	if err := c.checkProtocol(body); err != nil {
		return pk, err
	}
	pk.FixedHeader = h
	if err := decode(pk.ConnectDecode, body); err != nil {
		return pk, err
	}
	p := &pk.Connect
	if want := connectLength(pk); want != len(body) {
		return pk, fault("malformed packet: CONNECT has %d bytes, its fields need %d", len(body), want)
	}
	l := &c.b.cfg.Limits
	switch {
	case pk.ReservedBit != 0:
		return pk, fault("the reserved bit of the connect flags is set")
	case !p.WillFlag && (p.WillQos != 0 || p.WillRetain):
		return pk, fault("will QoS or retain is set without a will")
	case p.PasswordFlag && !p.UsernameFlag:
		return pk, fault("a password without a user name")
	case p.WillQos == 2:
		return pk, fault("the will has QoS 2: AWS IoT has QoS 0 and 1 only")
	case p.WillQos > 2:
		return pk, fault("the will has QoS 3")
	case p.ClientIdentifier == "":
		c.lastWords(appendConnack(nil, false, connackIdentifier))
		return pk, fault("the client id is empty")
	case len(p.ClientIdentifier) > l.ClientID:
		return pk, fault("the client id has %d bytes, the limit is %d", len(p.ClientIdentifier), l.ClientID)
	}
	if p.WillFlag {
		if broken := c.b.PublishRule(p.WillTopic, p.WillRetain); broken != "" {
			return pk, fault("the will: %s", broken)
		}
	}
	return pk, nil
}

// checkProtocol looks at protocol name and level before anything else is decoded: what follows
// them differs between versions.
func (c *conn) checkProtocol(body []byte) error {
	if len(body) < 2 {
		return fault("malformed packet: CONNECT has %d bytes", len(body))
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body) < 2+n+1 {
		return fault("malformed packet: CONNECT ends in its protocol name")
	}
	name, level := body[2:2+n], body[2+n]
	switch {
	case bytes.Equal(name, []byte("MQTT")) && level == 4:
		return nil
	case bytes.Equal(name, []byte("MQTT")) && level == 5:
		// In MQTT 5's own form, so that the client can read it.
		c.lastWords([]byte{packets.Connack << 4, 3, 0, connackV5Version, 0})
		return fault("the client speaks MQTT 5, which is not served: make it speak MQTT 3.1.1")
	case bytes.Equal(name, []byte("MQTT")), bytes.Equal(name, []byte("MQIsdp")):
		c.lastWords(appendConnack(nil, false, connackProtocol))
		return fault("protocol %s level %d is not served: make the client speak MQTT 3.1.1 (level 4)", name, level)
	}
	return fault("protocol %q is not MQTT", name)
}

// lastWords writes before the writer runs. The handshake's deadline watches over it.
func (c *conn) lastWords(b []byte) { c.nc.Write(b) } //nolint:errcheck // the connection is closed next anyway

// connectLength is how many bytes a CONNECT with these fields has.
func connectLength(pk *packets.Packet) int {
	p := &pk.Connect
	n := 2 + len(p.ProtocolName) + 1 + 1 + 2 + 2 + len(p.ClientIdentifier)
	if p.WillFlag {
		n += 2 + len(p.WillTopic) + 2 + len(p.WillPayload)
	}
	if p.UsernameFlag {
		n += 2 + len(p.Username)
	}
	if p.PasswordFlag {
		n += 2 + len(p.Password)
	}
	return n
}

// attach gives the connection its session, taking it from an older connection of the same
// client id, and answers CONNECT.
func (b *Broker) attach(c *conn, id string, clean bool, allowed *policy.Compiled) bool {
	now := b.cfg.Clock.Now()
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	var older *conn
	s := b.sessions[id]
	if s != nil {
		s.mu.Lock()
		older = s.conn
		s.mu.Unlock()
		if older != nil {
			b.detach(older)
		}
		if clean || b.sessions[id] != s {
			s.mu.Lock()
			b.forget(s)
			s.mu.Unlock()
			s = nil
		}
	}
	present := s != nil
	if s == nil {
		s = &session{b: b, id: id, subs: map[string]byte{}}
		b.sessions[id] = s
	}
	s.mu.Lock()
	s.conn, s.clean, s.policy, s.peer = c, clean, allowed, c.peer
	s.resume(now)
	c.sess = s
	c.sender = Sender{ClientID: id, CertID: c.peer.CertID, IP: c.peer.IP}
	c.control = appendConnack(nil, present, 0)
	c.lastRead.Store(now.UnixNano())
	c.connected.Store(true)
	b.wg.Add(1)
	s.mu.Unlock()
	b.mu.Unlock()
	if older != nil {
		if older.end(reasonDuplicate, "another connection came with the same client id, from "+c.peer.Remote) {
			b.wg.Go(func() { older.nc.Close() })
		}
		b.gone(older)
	}
	b.log(event.Connected, c.peer, id, fmt.Sprintf("keep-alive %v, clean session %v, session present %v", c.keepAlive, clean, present))
	b.presence(c, true)
	go c.write()
	return true
}

// uuid writes 16 random bytes as a version 4 UUID.
func uuid(r [16]byte) string {
	r[6] = r[6]&0x0f | 0x40
	r[8] = r[8]&0x3f | 0x80
	h := hex.EncodeToString(r[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
