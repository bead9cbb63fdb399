package broker

import "net/netip"

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
