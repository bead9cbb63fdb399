package broker

import (
	"io"
	"net/netip"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// Limits are the quotas of the message broker. Zero in a rate means no limit.
type Limits struct {
	HandshakeTime  time.Duration // TLS handshake and CONNECT together
	MinKeepAlive   time.Duration // a shorter one is raised
	MaxKeepAlive   time.Duration // a longer one, and 0, is lowered to this
	ClientID       int           // bytes
	Topic          int           // bytes
	TopicSlashes   int
	Payload        int           // bytes
	Packet         int           // bytes of a packet of MQTT 5, as CONNACK says it
	Filters        int           // in one SUBSCRIBE
	Subscriptions  int           // of one connection
	InFlight       int           // QoS 1 messages not acknowledged, each way; MQTT 5's receive maximum
	TopicAlias     int           // highest topic alias, each way
	ShareMembers   int           // subscribers of one group of a shared subscription
	ShadowInFlight int           // shadow requests of one connection not answered yet
	ConnectRate    int           // CONNECTs a second of one client id
	ConnectBurst   int           // of them at once
	ConnectTotal   int           // CONNECTs a second of all clients
	PublishRate    int           // a second and connection
	ByteRate       int           // published bytes a second and connection
	SessionExpiry  time.Duration // of MQTT 3.1.1, and the most MQTT 5 gets
	RetryTime      time.Duration // for a QoS 1 message to be acknowledged by its receiver
	ReplayRate     int           // messages a second when a session is resumed
	QueueMessages  int           // waiting for one session; AWS does not say
	QueueBytes     int           // of payload waiting for one session; AWS does not say
	WriteTime      time.Duration // a client that takes nothing for so long is closed
	FarewellTime   time.Duration // to send DISCONNECT of MQTT 5 before the connection closes
}

// DefaultLimits are AWS's quotas (AWS IoT Core service quotas; where two ages of that page
// differ, the newer), and our own where AWS names none.
func DefaultLimits() Limits {
	return Limits{
		HandshakeTime:  10 * time.Second,
		MinKeepAlive:   30 * time.Second,
		MaxKeepAlive:   1200 * time.Second,
		ClientID:       128,
		Topic:          256,
		TopicSlashes:   7,
		Payload:        128 << 10,
		Packet:         149504, // 146 KiB: remembered from logs of clients, not verified
		Filters:        8,
		Subscriptions:  50,
		InFlight:       100,
		TopicAlias:     8,
		ShareMembers:   100,
		ShadowInFlight: 10,
		ConnectRate:    1,
		ConnectBurst:   10, // AWS does not say; one would forbid a takeover
		ConnectTotal:   500,
		PublishRate:    100,
		ByteRate:       512 << 10,
		SessionExpiry:  time.Hour,
		RetryTime:      time.Hour,
		ReplayRate:     10,
		QueueMessages:  1000,
		QueueBytes:     8 << 20,
		WriteTime:      30 * time.Second,
		FarewellTime:   time.Second,
	}
}

// Peer is who is at the other end of a connection, after the handshake.
type Peer struct {
	CertID     string
	Remote     string
	Local      string // address and port it connected to, "" if unknown
	IP         netip.Addr
	DomainName string // the endpoint name asked for, "" for none
}

// Handshake finishes the transport's handshake and says who came. Its error is logged.
type Handshake func() (Peer, error)

// Service answers requests that clients publish on reserved topics.
type Service interface {
	// Accepts says "" when clients may publish to a topic below $aws/things/, else the rule
	// that forbids it.
	Accepts(topic string) string
	// Handle answers a request. It must call r.Done once, now or later, from any goroutine,
	// and must not block.
	Handle(r *Request)
	// Overload refuses a request of a client that has too many shadow requests under way. Done
	// need not be called.
	Overload(r *Request)
}

// Request is a message a client published on one of the topics that Service.Accepts allows.
type Request struct {
	Topic   string
	Payload []byte
	From    Sender
	// Reply sends a message to the requester alone, whether it subscribed to the topic or not,
	// past the message broker, as AWS answers job requests: no other client and no rule sees
	// it. It does nothing when the request did not come by MQTT or the requester has left.
	Reply func(topic string, payload []byte)
	// Done says that the answer is on its way.
	Done func()
}

// Config is what a Broker is made of.
type Config struct {
	Clock  clock.Clock
	Rand   io.Reader // for session identifiers; safe for use by many goroutines
	Limits Limits
	Log    func(event.Event)
	// Authorize says what a client with this certificate may do. attributes are
	// "PersistentConnect" and "LastWill" as they apply. An error says why it may do nothing.
	Authorize func(peer Peer, clientID string, attributes []string) (*policy.Compiled, error)
	Service   Service
	// Ingest takes what clients publish to $aws/rules/RULE/TOPIC (Basic Ingest), which no
	// subscriber sees: topic is what goes on after the rule's name. The message must not be
	// changed and Ingest must not block. nil: such messages end here.
	Ingest func(rule, topic string, m *Message)
	// SaveRetained makes a retained message permanent; nil value removes it. nil: not kept.
	SaveRetained func(topic string, value []byte) error
	// Sessions keeps persistent sessions over a restart; nil: they end with the broker.
	Sessions SessionStore
	// RelaxedQoS1 acknowledges a QoS 1 message before it is safe in the queues of the
	// persistent sessions it goes to. Quicker; a crash loses what the disk has not.
	RelaxedQoS1 bool
	// Backbone joins this broker with others into one endpoint; nil: there are no others.
	Backbone Backbone
	// RefuseSubscribe answers a SUBSCRIBE of MQTT 3.1.1 that the policy does not allow with
	// 0x80 instead of closing the connection. MQTT 5 always gets 0x87.
	RefuseSubscribe bool
	// ThrottleClose closes a connection that publishes faster than it may, for THROTTLED,
	// instead of holding it back.
	ThrottleClose bool
	// RetainOff closes on RETAIN, as AWS did before August 2021.
	RetainOff bool
	// MQTT5Off refuses MQTT 5, as AWS did before November 2022.
	MQTT5Off bool
}
