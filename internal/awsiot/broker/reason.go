package broker

import "fmt"

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

// CONNACK codes of MQTT 3.1.1.
const (
	connackProtocol   = 1
	connackIdentifier = 2
)

// Reason codes of MQTT 5, those that AWS IoT Core documents it sends.
const (
	codeWill            = 0x04 // a client's: disconnect with the will
	codeNoSubscription  = 0x11
	codeUnspecified     = 0x80
	codeMalformed       = 0x81
	codeProtocol        = 0x82
	codeVersion         = 0x84
	codeClientID        = 0x85
	codeNotAuthorized   = 0x87
	codeShuttingDown    = 0x8b
	codeMethod          = 0x8c
	codeKeepAlive       = 0x8d
	codeTakenOver       = 0x8e
	codeFilterInvalid   = 0x8f
	codeTopicInvalid    = 0x90
	codeReceiveMaximum  = 0x93
	codeAliasInvalid    = 0x94
	codeTooLarge        = 0x95
	codeQuota           = 0x97
	codeAdministrative  = 0x98
	codeFormat          = 0x99
	codeRetain          = 0x9a
	codeQoS             = 0x9b
	codeSubscriptionIDs = 0xa1
	suback3Refused      = 0x80 // MQTT 3.1.1 has one code for all refusals
)

// closure is why a connection ends.
type closure struct {
	reason string
	code   byte // of MQTT 5's DISCONNECT or CONNACK; 0 sends none
	text   string
}

func (c closure) Error() string { return c.text }

// fault is a breach of protocol or limits by the client.
func fault(code byte, format string, args ...any) error {
	return closure{reasonError, code, fmt.Sprintf(format, args...)}
}
