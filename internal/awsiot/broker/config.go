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
	Payload        int // bytes
	Filters        int // in one SUBSCRIBE
	Subscriptions  int // of one connection
	InFlight       int // QoS 1 messages sent to a client and not acknowledged
	ShadowInFlight int // shadow requests of one connection not answered yet
	PublishRate    int // a second and connection
	ByteRate       int // published bytes a second and connection
	SessionExpiry  time.Duration
	ReplayRate     int           // messages a second when a session is resumed
	QueueMessages  int           // waiting for one session; AWS does not say
	QueueBytes     int           // of payload waiting for one session; AWS does not say
	WriteTime      time.Duration // a client that takes nothing for so long is closed
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
		Filters:        8,
		Subscriptions:  50,
		InFlight:       100,
		ShadowInFlight: 10,
		PublishRate:    100,
		ByteRate:       512 << 10,
		SessionExpiry:  time.Hour,
		ReplayRate:     10,
		QueueMessages:  1000,
		QueueBytes:     8 << 20,
		WriteTime:      30 * time.Second,
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
	// RefuseSubscribe answers a SUBSCRIBE the policy does not allow with 0x80 instead of
	// closing the connection.
	RefuseSubscribe bool
	// RetainOff closes on RETAIN, as AWS did before August 2021.
	RetainOff bool
}

// Reasons a client is disconnected, as lifecycle events name them.
const (
	reasonAuth      = "AUTH_ERROR"
	reasonClient    = "CLIENT_INITIATED_DISCONNECT"
	reasonError     = "CLIENT_ERROR"
	reasonLost      = "CONNECTION_LOST"
	reasonDuplicate = "DUPLICATE_CLIENTID"
	reasonForbidden = "FORBIDDEN_ACCESS"
	reasonKeepAlive = "MQTT_KEEP_ALIVE_TIMEOUT"
	reasonServer    = "SERVER_INITIATED_DISCONNECT"
	reasonAPI       = "API_INITIATED_DISCONNECT"
	reasonThrottled = "THROTTLED"
	reasonTrouble   = "SERVER_ERROR"
)
