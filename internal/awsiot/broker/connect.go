package broker

import (
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

// who says, from any goroutine, what is known of the client.
func (c *conn) who() (peer Peer, clientID string) {
	if c.connected.Load() {
		return c.peer, c.sess.id
	}
	return Peer{Remote: c.nc.RemoteAddr().String()}, ""
}

// overdue says why a connection must end now, nil if it need not.
func (c *conn) overdue(now time.Time) *closure {
	l := &c.b.cfg.Limits
	if !c.connected.Load() {
		if now.Sub(c.accepted) > l.HandshakeTime {
			return &closure{reasonError, 0, fmt.Sprintf("no CONNECT within %v of the TCP connection", l.HandshakeTime)}
		}
		return nil
	}
	if since := c.writing.Load(); since != 0 && now.Sub(time.Unix(0, since)) > l.WriteTime {
		return &closure{reasonLost, 0, fmt.Sprintf("the client has not read for %v", l.WriteTime)}
	}
	if now.Sub(time.Unix(0, c.lastRead.Load())) > c.keepAlive*3/2 {
		return &closure{reasonKeepAlive, codeKeepAlive, fmt.Sprintf("nothing was heard for one and a half times the keep-alive of %v", c.keepAlive)}
	}
	return nil
}

// connect reads CONNECT and, if all is well, attaches the connection to its session.
func (c *conn) connect() bool {
	h, err := c.readConnect()
	if err == nil {
		err = c.welcome(h)
	}
	if err == nil {
		return true
	}
	var end closure
	switch {
	case c.closing.Load(): // said where it was closed
		c.close(reasonError, 0, plain(err))
		return false
	case errors.As(err, &end):
		c.refuse(h, end)
	case errors.Is(err, io.EOF):
		c.b.log(event.Note, c.peer, "", "the client left before CONNECT")
		c.close(reasonLost, 0, plain(err))
	default:
		c.b.log(event.Refused, c.peer, "", "CONNECT: "+plain(err)+"; the connection is closed")
		c.close(reasonError, 0, plain(err))
	}
	return false
}

// refuse ends a connection that has not become one. AWS sends MQTT 3.1.1 clients no CONNACK
// but for the version and an empty client id; those of MQTT 5 get a reason code.
func (c *conn) refuse(h *hello, end closure) {
	how := "; the connection is closed without a CONNACK"
	switch {
	case h.version == 5 && end.code != 0:
		how = fmt.Sprintf("; CONNACK %#02x, and the connection is closed", end.code)
		c.lastWords(appendConnack5(nil, false, end.code, nil))
	case end.code == codeVersion:
		how = "; CONNACK 1, and the connection is closed"
		c.lastWords(appendConnack(nil, false, connackProtocol))
	case h.version == 4 && end.code == codeClientID && h.id == "":
		how = "; CONNACK 2, and the connection is closed"
		c.lastWords(appendConnack(nil, false, connackIdentifier))
	}
	c.b.log(event.Refused, c.peer, h.id, "CONNECT: "+end.text+how)
	c.close(end.reason, 0, end.text)
}

// readConnect reads the first packet.
func (c *conn) readConnect() (*hello, error) {
	head, body, err := c.r.packet(c.b.maxPacket())
	if err != nil {
		return &hello{}, err
	}
	if head.Type != packets.Connect {
		return &hello{}, fault(0, "the first packet is %s, not CONNECT", packets.PacketNames[head.Type])
	}
	h, err := c.b.cfg.Limits.readHello(body)
	if err != nil {
		return h, err
	}
	if h.version == 5 && c.b.cfg.MQTT5Off {
		h.version = 4 // what a server answers that has never heard of 5
		return h, fault(codeVersion, "MQTT 5 is switched off, as before November 2022: make the client speak MQTT 3.1.1")
	}
	if h.will != nil {
		if broken := c.b.PublishRule(h.will.Topic, h.will.Retain); broken != "" {
			return h, fault(codeTopicInvalid, "the will: %s", broken)
		}
		if len(h.will.Payload) > c.b.cfg.Limits.Payload {
			return h, fault(codeTooLarge, "the will has %d bytes, the limit is %d", len(h.will.Payload), c.b.cfg.Limits.Payload)
		}
	}
	return h, nil
}

// welcome asks whether the client may connect and attaches it.
func (c *conn) welcome(h *hello) error {
	sessionID, err := c.b.newID()
	if err != nil {
		return closure{reasonTrouble, codeUnspecified, err.Error()}
	}
	assigned := h.id == ""
	if assigned {
		if h.version == 4 {
			return fault(codeClientID, "the client id is empty")
		}
		if h.id, err = c.b.newID(); err != nil {
			return closure{reasonTrouble, codeUnspecified, err.Error()}
		}
		h.id = "$GEN/" + h.id
	}
	if slow := c.b.tooManyConnects(h.id); slow != "" {
		return closure{reasonThrottled, codeQuota, slow}
	}
	expiry := c.b.cfg.Limits.sessionExpiry(h)
	var attributes []string
	if !h.clean || expiry > 0 {
		attributes = append(attributes, "PersistentConnect")
	}
	if h.will != nil {
		attributes = append(attributes, "LastWill")
	}
	allowed, err := c.b.cfg.Authorize(c.peer, h.id, attributes)
	if err != nil {
		return closure{reasonAuth, codeNotAuthorized, err.Error()}
	}
	if d := allowed.Check(policy.Connect, h.id); !d.Allowed {
		return closure{reasonAuth, codeNotAuthorized, fmt.Sprintf("iot:Connect on client/%s: %s", h.id, d)}
	}
	c.hello, c.version, c.sessionID = h, h.version, sessionID
	c.sender = Sender{ClientID: h.id, CertID: c.peer.CertID, IP: c.peer.IP}
	if c.will = h.will; c.will != nil {
		c.will.From = &c.sender
	}
	c.keepAlive = c.b.cfg.Limits.keepAlive(h.keepAlive)
	c.receiveMax, c.maxPacket = c.b.cfg.Limits.InFlight, h.maxPacket
	if h.receiveMax > 0 {
		c.receiveMax = min(c.receiveMax, int(h.receiveMax))
	}
	return c.b.attach(c, assigned, expiry, allowed)
}

// sessionExpiry is how long the session outlives the connection.
func (l *Limits) sessionExpiry(h *hello) time.Duration {
	switch {
	case h.version == 5:
		return min(time.Duration(h.expiry)*time.Second, l.SessionExpiry)
	case h.clean:
		return 0
	}
	return l.SessionExpiry
}

// keepAlive is the granted one: AWS clamps what it does not like, and 0 means the longest.
func (l *Limits) keepAlive(seconds uint16) time.Duration {
	d := time.Duration(seconds) * time.Second
	if d == 0 {
		return l.MaxKeepAlive
	}
	return min(max(d, l.MinKeepAlive), l.MaxKeepAlive)
}

// tooManyConnects counts a CONNECT and says which rate is broken, "" for none.
func (b *Broker) tooManyConnects(id string) string {
	l := &b.cfg.Limits
	now := b.cfg.Clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if rate := float64(l.ConnectTotal); rate > 0 && !b.connects.may(1, rate, rate, now) {
		return fmt.Sprintf("more than %d clients connect in a second", l.ConnectTotal)
	}
	rate, size := float64(l.ConnectRate), float64(max(1, l.ConnectBurst))
	if rate <= 0 {
		return ""
	}
	k := b.connectsOf[id]
	if k == nil {
		k = &bucket{}
		b.connectsOf[id] = k
	}
	if !k.may(1, rate, size, now) {
		return fmt.Sprintf("the client connects more often than %d times a second (%d at once)", l.ConnectRate, max(1, l.ConnectBurst))
	}
	return ""
}

// forgetConnects drops the counts that are as good as new. b.mu is held.
func (b *Broker) forgetConnects(now time.Time) {
	size := float64(max(1, b.cfg.Limits.ConnectBurst))
	for id, k := range b.connectsOf {
		if k.fill(float64(b.cfg.Limits.ConnectRate), size, now); k.have >= size {
			delete(b.connectsOf, id)
		}
	}
}

// lastWords writes before the writer runs. The handshake's deadline watches over it.
func (c *conn) lastWords(b []byte) { c.nc.Write(b) } //nolint:errcheck // the connection is closed next anyway

// attach gives the connection its session, taking it from an older connection of the same
// client id, and answers CONNECT.
func (b *Broker) attach(c *conn, assigned bool, expiry time.Duration, allowed *policy.Compiled) error {
	id, clean := c.hello.id, c.hello.clean
	if b.cfg.Backbone != nil {
		st, err := b.cfg.Backbone.Claim(id, clean)
		if err == nil && st != nil && !clean {
			if err = b.adopt(st, false); err == nil {
				if st.Adopted != nil {
					st.Adopted()
				}
				b.cfg.Backbone.AwaitInterest()
			}
		}
		if err != nil {
			return closure{reasonTrouble, codeUnspecified, "the session could not be brought from another node: " + err.Error()}
		}
	}
	now := b.cfg.Clock.Now()
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return closure{reasonServer, codeShuttingDown, "the service is closing"}
	}
	var older *conn
	var late *Message // a delayed will of a session that ends here
	s := b.sessions[id]
	if s != nil {
		s.mu.Lock()
		older = s.conn
		s.mu.Unlock()
		if older != nil {
			b.detach(older)
		}
		s.mu.Lock()
		if clean || b.sessions[id] != s {
			late = s.will
			b.forget(s)
			s.mu.Unlock()
			s = nil
		} else {
			s.will = nil // the client is back before its will was due
			s.mu.Unlock()
		}
	}
	present := s != nil
	if s == nil {
		s = &session{b: b, id: id, subs: map[string]subOptions{}}
		b.sessions[id] = s
	}
	s.mu.Lock()
	if s.clean = expiry == 0; s.clean && present {
		s.clean = false
		s.unsave()
		s.clean = true
	}
	s.conn, s.expiry, s.policy, s.peer = c, expiry, allowed, c.peer
	s.away.Store(false)
	s.resume(now)
	s.save()
	c.sess = s
	c.control = c.connack(present, assigned, expiry)
	c.lastRead.Store(now.UnixNano())
	c.connected.Store(true)
	c.wake()
	s.mu.Unlock()
	b.mu.Unlock()
	if older != nil {
		if older.end(reasonDuplicate, codeTakenOver, "another connection came with the same client id, from "+c.peer.Remote) {
			b.wg.Go(older.finish)
		}
		b.gone(older)
	}
	if late != nil {
		b.publishWill(late, s)
	}
	b.log(event.Connected, c.peer, id, fmt.Sprintf("%s, keep-alive %v, clean %v, session kept for %v, session present %v",
		protocolName(c.version), c.keepAlive, clean, expiry, present))
	b.presence(c, true)
	return nil
}

func protocolName(version byte) string {
	if version == 5 {
		return "MQTT 5"
	}
	return "MQTT 3.1.1"
}

// connack is the CONNACK of a connection that is accepted.
func (c *conn) connack(present, assigned bool, expiry time.Duration) []byte {
	if c.version != 5 {
		return appendConnack(nil, present, 0)
	}
	l, h := &c.b.cfg.Limits, c.hello
	var p []byte
	if h.hasExpiry {
		p = binary.BigEndian.AppendUint32(append(p, packets.PropSessionExpiryInterval), uint32(expiry/time.Second))
	}
	p = binary.BigEndian.AppendUint16(append(p, packets.PropReceiveMaximum), uint16(l.InFlight))
	p = append(p, packets.PropMaximumQos, 1, packets.PropRetainAvailable, flagOf(!c.b.cfg.RetainOff))
	p = binary.BigEndian.AppendUint32(append(p, packets.PropMaximumPacketSize), uint32(l.Packet))
	if assigned {
		p = appendString(append(p, packets.PropAssignedClientID), h.id)
	}
	p = binary.BigEndian.AppendUint16(append(p, packets.PropTopicAliasMaximum), uint16(l.TopicAlias))
	p = append(p, packets.PropWildcardSubAvailable, 1, packets.PropSubIDAvailable, 0, packets.PropSharedSubAvailable, 1)
	if seconds := uint16(c.keepAlive / time.Second); seconds != h.keepAlive {
		p = binary.BigEndian.AppendUint16(append(p, packets.PropServerKeepAlive), seconds)
	}
	return appendConnack5(nil, present, 0, p)
}

// newID makes a UUID.
func (b *Broker) newID() (string, error) {
	var random [16]byte
	if _, err := io.ReadFull(b.cfg.Rand, random[:]); err != nil {
		return "", fmt.Errorf("no entropy for an identifier: %w", err)
	}
	return uuid(random), nil
}

// uuid writes 16 random bytes as a version 4 UUID.
func uuid(r [16]byte) string {
	r[6] = r[6]&0x0f | 0x40
	r[8] = r[8]&0x3f | 0x80
	h := hex.EncodeToString(r[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
