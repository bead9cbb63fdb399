package rest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// The header fields of a message's MQTT 5 properties.
const (
	headerUser        = "x-amz-mqtt5-user-properties"          // base64 of a JSON array of objects
	headerFormat      = "x-amz-mqtt5-payload-format-indicator" // UNSPECIFIED_BYTES or UTF8_DATA
	headerCorrelation = "x-amz-mqtt5-correlation-data"         // base64
)

// complaint is what a client is told of its request, in the service's words.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// publish is POST /topics/TOPIC?qos=&retain=&contentType=&responseTopic=&messageExpiry=
func (s *Server) publish(r *request) *response {
	qos, err := qosOf(r)
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	retain, err := flag(r, "retain")
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	if broken := s.cfg.Broker.PublishRule(r.name, retain); broken != "" {
		return s.refuse(r.peer, r.http, 400, "InvalidRequestException", "Invalid topic", broken)
	}
	m := broker.Message{Topic: r.name, Payload: r.body, QoS: qos, Retain: retain, From: r.sender()}
	if m.Properties, err = s.properties(r); err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	if no := s.permit(r, policy.Publish, r.name); no != nil {
		return no
	}
	if retain {
		if no := s.permit(r, policy.RetainPublish, r.name); no != nil {
			return no
		}
	}
	if err := s.cfg.Broker.PublishFor(m); err != nil {
		return s.trouble(r, "publishing", err)
	}
	return &response{status: 200, body: s.problem("OK")}
}

func (r *request) sender() *broker.Sender {
	from := &broker.Sender{CertID: r.peer.CertID}
	if ap, err := netip.ParseAddrPort(r.peer.Remote); err == nil {
		from.IP = ap.Addr().Unmap()
	}
	return from
}

func qosOf(r *request) (byte, error) {
	switch v := r.query.Get("qos"); v {
	case "", "0":
		return 0, nil
	case "1":
		return 1, nil
	default:
		return 0, complain("Invalid qos: %s", v)
	}
}

// flag reads a parameter that is true or false.
func flag(r *request, name string) (bool, error) {
	v := r.query.Get(name)
	switch {
	case v == "", strings.EqualFold(v, "false"):
		return false, nil
	case strings.EqualFold(v, "true"):
		return true, nil
	}
	return false, complain("Invalid %s: %s", name, v)
}

// properties are the MQTT 5 properties of a request; nil when it has none.
func (s *Server) properties(r *request) (*broker.Properties, error) {
	p := &broker.Properties{ContentType: r.query.Get("contentType"), ResponseTopic: r.query.Get("responseTopic")}
	some := p.ContentType != "" || p.ResponseTopic != ""
	switch {
	case !utf8.ValidString(p.ContentType):
		return nil, complain("Invalid contentType")
	case p.ResponseTopic != "" && (strings.ContainsAny(p.ResponseTopic, "+#\x00") || !utf8.ValidString(p.ResponseTopic) || len(p.ResponseTopic) > 256):
		return nil, complain("Invalid responseTopic: %.40q", p.ResponseTopic)
	}
	if v := r.query.Get("messageExpiry"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n > math.MaxUint32 {
			return nil, complain("Invalid messageExpiry: %.40q", v)
		}
		p.HasExpiry, p.Expiry, some = true, uint32(n), true
	}
	switch v := r.http.Header.Get(headerFormat); v {
	case "":
	case "UNSPECIFIED_BYTES":
		p.HasFormat, some = true, true
	case "UTF8_DATA":
		p.HasFormat, p.Format, some = true, 1, true
	default:
		return nil, complain("Invalid %s: it is UNSPECIFIED_BYTES or UTF8_DATA", headerFormat)
	}
	if v := r.http.Header.Get(headerCorrelation); v != "" {
		var err error
		if p.Correlation, err = base64.StdEncoding.DecodeString(v); err != nil || len(p.Correlation) > math.MaxUint16 {
			return nil, complain("Invalid %s: it is base64", headerCorrelation)
		}
		some = true
	}
	if v := r.http.Header.Get(headerUser); v != "" {
		var err error
		if p.User, err = userProperties(v); err != nil {
			return nil, complain("Invalid %s: %v", headerUser, err)
		}
		some = true
	}
	if !some {
		return nil, nil
	}
	if broken := p.Rule(); broken != "" {
		return nil, complain("Invalid request: %s", broken)
	}
	return p, nil
}

// userProperties reads base64 of a JSON array of objects of strings, in the order it has.
func userProperties(text string) ([]broker.UserProperty, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is base64")
	}
	bad := errors.New(`it is a JSON array of objects of strings, such as [{"deviceName":"alpha"}]`)
	var objects []json.RawMessage
	if json.Unmarshal(raw, &objects) != nil {
		return nil, bad
	}
	var out []broker.UserProperty
	for _, o := range objects {
		d := json.NewDecoder(strings.NewReader(string(o)))
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return nil, bad
		}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, bad
			}
			value, err := d.Token()
			v, ok := value.(string)
			if err != nil || !ok {
				return nil, bad
			}
			out = append(out, broker.UserProperty{Key: name.(string), Value: v})
		}
	}
	return out, nil
}

// The bounds of a wait for a client's acknowledgement, in seconds.
const (
	confirmUsual = 5
	confirmMost  = 15
)

// sendDirect is POST /connections/CLIENT/messages?topic=&confirmation=&timeout=
func (s *Server) sendDirect(r *request) *response {
	if no := s.clientID(r); no != nil {
		return no
	}
	topic := r.query.Get("topic")
	if topic == "" || strings.ContainsAny(topic, "+#\x00") || !utf8.ValidString(topic) || len(topic) > 256 {
		return s.invalid(r.peer, r.http, "Invalid topic")
	}
	confirm, err := flag(r, "confirmation")
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	seconds := confirmUsual
	if v := r.query.Get("timeout"); v != "" && confirm {
		if seconds, err = strconv.Atoi(v); err != nil || seconds < 1 || seconds > confirmMost {
			return s.invalid(r.peer, r.http, fmt.Sprintf("Invalid timeout: it is 1 to %d", confirmMost))
		}
	}
	m := broker.Message{Topic: topic, Payload: r.body, From: r.sender()}
	if m.Properties, err = s.properties(r); err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	if no := s.permit(r, policy.SendDirectMessage, r.name); no != nil {
		return no
	}
	acked := make(chan bool, 1)
	answered := func(ok bool) {
		select {
		case acked <- ok:
		default:
		}
	}
	if confirm {
		m.QoS, m.Acked = 1, func() { answered(true) }
	} else {
		acked <- true
	}
	if !s.cfg.Broker.SendTo(r.name, m) {
		return s.refuse(r.peer, r.http, 404, exceptions[404], "Client not found", fmt.Sprintf("client %q is not connected", r.name))
	}
	timer := s.cfg.Clock.AfterFunc(time.Duration(seconds)*time.Second, func() { answered(false) })
	defer timer.Stop()
	if !<-acked {
		return s.refuse(r.peer, r.http, 504, "GatewayTimeoutException", "Delivery confirmation timed out",
			fmt.Sprintf("client %q has not acknowledged the message within %d s", r.name, seconds))
	}
	return &response{status: 200, body: s.problem("OK")}
}
