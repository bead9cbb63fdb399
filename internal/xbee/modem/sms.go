package modem

import (
	"strings"
	"time"
)

// SMS is a text message.
type SMS struct {
	Phone string // of the other side
	Text  string // 7-bit ASCII
	Time  time.Time
}

// The limits of a text message (device-facts.md 4.4).
const (
	MaxSMS   = 160
	MaxPhone = 20
)

// inboxLimit is how many messages wait, the oldest being lost (a choice), and
// outboxLimit how many are remembered.
const (
	inboxLimit  = 20
	outboxLimit = 100
)

// SendSMS sends a message. EINVAL is for a number or a text that cannot be
// sent, ENOTCONN before the modem is registered. What is sent to the module's
// own number arrives.
func (m *Modem) SendSMS(phone, text string) Errno {
	if !validPhone(phone) || len(text) > MaxSMS || !isASCII(text) {
		return EINVAL
	}
	if s := m.Association(); s == Dormant || !s.registered() {
		if m.needNetwork(m.Deadline(m.DialLimit())) != 0 {
			return ENOTCONN
		}
	}
	m.outbox = append(m.outbox, SMS{phone, text, m.clock.Now()})
	if len(m.outbox) > outboxLimit {
		m.outbox = m.outbox[1:]
	}
	m.emit(Event{Kind: SMSSent, SMS: m.outbox[len(m.outbox)-1]})
	if strings.TrimPrefix(phone, "+") == m.identity.Phone {
		m.DeliverSMS(m.identity.Phone, text)
	}
	return 0
}

// SentSMS returns the last 100 messages sent, the oldest first.
func (m *Modem) SentSMS() []SMS { return append([]SMS(nil), m.outbox...) }

// DeliverSMS is somebody sending the module a message: characters that are not
// 7-bit ASCII become spaces. The network keeps it until the modem is registered
// and awake.
func (m *Modem) DeliverSMS(sender, text string) {
	ascii := strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return ' '
		}
		return r
	}, text)
	m.heldSMS = append(m.heldSMS, SMS{sender, ascii, m.clock.Now()})
	if s := m.Association(); s.registered() && s != Dormant {
		m.deliverHeld()
	}
}

// deliverHeld puts the messages that the network kept into the inbox.
func (m *Modem) deliverHeld() {
	held := m.heldSMS
	m.heldSMS = nil
	for _, s := range held {
		m.inbox = append(m.inbox, s)
		if len(m.inbox) > inboxLimit {
			m.inbox = m.inbox[1:]
		}
		m.emit(Event{Kind: SMSArrived, SMS: s})
	}
}

// ReceiveSMS takes the oldest message out of the inbox; false if there is none.
func (m *Modem) ReceiveSMS() (SMS, bool) {
	if len(m.inbox) == 0 {
		return SMS{}, false
	}
	s := m.inbox[0]
	m.inbox = m.inbox[1:]
	return s, true
}

func validPhone(s string) bool {
	d := strings.TrimPrefix(s, "+")
	return d != "" && len(s) <= MaxPhone && strings.Trim(d, "0123456789") == ""
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// WaitingSMS is how many messages the inbox holds.
func (m *Modem) WaitingSMS() int { return len(m.inbox) }
