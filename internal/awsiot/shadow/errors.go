package shadow

import "strconv"

// Error is a refusal as AWS words it: the same code and message go into the MQTT "rejected"
// message and into the HTTP answer (AWS: "Device Shadow error messages").
type Error struct {
	Code    int
	Message string
	// ClientToken is the request's, when it could be read.
	ClientToken string
}

func (e *Error) Error() string { return strconv.Itoa(e.Code) + " " + e.Message }

// Rejected is the payload of the rejected message.
func (e *Error) Rejected(timestamp int64) []byte {
	b := append([]byte(`{"code":`), strconv.Itoa(e.Code)...)
	b = append(append(b, `,"message":`...), quote(e.Message)...)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, timestamp, 10)
	return endWithToken(b, e.ClientToken)
}

func endWithToken(b []byte, token string) []byte {
	if token != "" {
		b = append(append(b, `,"clientToken":`...), quote(token)...)
	}
	return append(b, '}')
}

// The refusals.
var (
	errInvalidJSON    = Error{Code: 400, Message: "Invalid JSON"}
	errNoState        = Error{Code: 400, Message: "Missing required node: state"}
	errStateObject    = Error{Code: 400, Message: "State node must be an object"}
	errDesiredObject  = Error{Code: 400, Message: "Desired node must be an object"}
	errReportedObject = Error{Code: 400, Message: "Reported node must be an object"}
	errVersion        = Error{Code: 400, Message: "Invalid version"}
	errClientToken    = Error{Code: 400, Message: "Invalid clientToken"}
	errConflict       = Error{Code: 409, Message: "Version conflict"}
	errTooLarge       = Error{Code: 413, Message: "The payload exceeds the maximum size allowed"}
	errEncoding       = Error{Code: 415, Message: "Unsupported documented encoding; supported encoding is UTF-8"}
)

// TooMany is the refusal of a request above the number in flight (AWS: 10 a connection).
func TooMany() *Error { return &Error{Code: 429, Message: "Too many requests"} }

// Internal is the refusal when the document could not be stored.
func Internal() *Error { return &Error{Code: 500, Message: "Internal service failure"} }

func invalidNode(name string) Error {
	return Error{Code: 400, Message: "State contains an invalid node: '" + name + "'"}
}

func tooDeep(limit int) Error {
	return Error{Code: 400, Message: "JSON contains too many levels of nesting; maximum is " + strconv.Itoa(limit)}
}

func notFound(name string) Error {
	return Error{Code: 404, Message: "No shadow exists with name: '" + name + "'"}
}

// with gives a copy that carries the request's token.
func (e Error) with(token string) *Error {
	e.ClientToken = token
	return &e
}
