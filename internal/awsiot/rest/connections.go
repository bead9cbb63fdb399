package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// clientID looks at a client id in a path; a response means that it cannot be one.
func (s *Server) clientID(r *request) *response {
	if strings.HasPrefix(r.name, "$") || len(r.name) > 128 || !utf8.ValidString(r.name) {
		return s.invalid(r.peer, r.http, "Invalid client id")
	}
	return nil
}

func (s *Server) noClient(r *request) *response {
	return s.refuse(r.peer, r.http, 404, exceptions[404], "Client not found", fmt.Sprintf("there is no client %q", r.name))
}

// connection is GetConnection's answer.
type connection struct {
	ClientID       string `json:"clientId"`
	Connected      bool   `json:"connected"`
	ThingName      string `json:"thingName,omitempty"`
	CleanSession   bool   `json:"cleanSession"`
	SourceIP       string `json:"sourceIp,omitempty"`
	SourcePort     int    `json:"sourcePort,omitempty"`
	TargetIP       string `json:"targetIp,omitempty"`
	TargetPort     int    `json:"targetPort,omitempty"`
	KeepAlive      *int64 `json:"keepAliveDuration,omitempty"` // seconds
	ConnectedAt    int64  `json:"connectedSince,omitempty"`    // milliseconds
	DisconnectedAt int64  `json:"disconnectedSince,omitempty"` // milliseconds
	Reason         string `json:"disconnectReason,omitempty"`
	SessionExpiry  int64  `json:"sessionExpiry"` // seconds
}

// getConnection is GET /connections/CLIENT?includeSocketInformation=
func (s *Server) getConnection(r *request) *response {
	if no := s.clientID(r); no != nil {
		return no
	}
	sockets, err := flag(r, "includeSocketInformation")
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	if no := s.permit(r, policy.GetConnection, r.name); no != nil {
		return no
	}
	c, ok := s.cfg.Broker.Connection(r.name)
	if !ok {
		return s.noClient(r)
	}
	out := connection{ClientID: c.ClientID, Connected: c.Connected, CleanSession: !c.Persistent, ThingName: s.cfg.Thing(c.CertID, c.ClientID)}
	if c.Persistent {
		out.SessionExpiry = int64(c.Expiry.Seconds())
	}
	if c.Connected {
		seconds := int64(c.KeepAlive.Seconds())
		out.KeepAlive, out.ConnectedAt = &seconds, c.Since.UnixMilli()
	} else {
		out.DisconnectedAt, out.Reason = c.Since.UnixMilli(), c.Reason
	}
	if sockets && c.Connected {
		out.SourceIP, out.SourcePort = address(c.Remote)
		out.TargetIP, out.TargetPort = address(c.Local)
	}
	return s.json(r, out)
}

func address(text string) (ip string, port int) {
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return "", 0
	}
	return ap.Addr().Unmap().String(), int(ap.Port())
}

// deleteConnection is DELETE /connections/CLIENT?cleanSession=&preventWillMessage=
func (s *Server) deleteConnection(r *request) *response {
	if no := s.clientID(r); no != nil {
		return no
	}
	clean, err := flag(r, "cleanSession")
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	noWill, err := flag(r, "preventWillMessage")
	if err != nil {
		return s.invalid(r.peer, r.http, err.Error())
	}
	if no := s.permit(r, policy.DeleteConnection, r.name); no != nil {
		return no
	}
	if !s.cfg.Broker.Disconnect(r.name, clean, noWill, who(r.peer)) {
		return s.noClient(r)
	}
	return &response{status: 200}
}

// who names the caller for the log of somebody else's connection.
func who(p Peer) string { return fmt.Sprintf("%.24s from %s", p.CertID, p.Remote) }

// listSubscriptions is GET /connections/CLIENT/subscriptions?nextToken=&maxResults=
func (s *Server) listSubscriptions(r *request) *response {
	if no := s.clientID(r); no != nil {
		return no
	}
	if no := s.permit(r, policy.ListSubscriptions, r.name); no != nil {
		return no
	}
	all, ok := s.cfg.Broker.Subscriptions(r.name)
	if !ok {
		return s.noClient(r)
	}
	levels := map[string]byte{}
	var filters []string
	for _, sub := range all {
		levels[sub.Filter] = sub.QoS
		filters = append(filters, sub.Filter)
	}
	filters, next, wrong := page(filters, r.query, "maxResults", 20, 200)
	if wrong != "" {
		return s.invalid(r.peer, r.http, wrong)
	}
	type summary struct {
		TopicFilter string `json:"topicFilter"`
		QoS         byte   `json:"qos"`
	}
	out := struct {
		Subscriptions []summary `json:"subscriptions"`
		NextToken     string    `json:"nextToken,omitempty"`
	}{[]summary{}, next}
	for _, f := range filters {
		out.Subscriptions = append(out.Subscriptions, summary{f, levels[f]})
	}
	return s.json(r, out)
}

// listRetained is GET /retainedMessage?nextToken=&maxResults=
func (s *Server) listRetained(r *request) *response {
	if no := s.permit(r, policy.ListRetainedMessages, ""); no != nil {
		return no
	}
	topics, next, wrong := page(s.cfg.Broker.RetainedTopics(), r.query, "maxResults", 200, 200)
	if wrong != "" {
		return s.invalid(r.peer, r.http, wrong)
	}
	type summary struct {
		Topic            string `json:"topic"`
		PayloadSize      int    `json:"payloadSize"`
		QoS              byte   `json:"qos"`
		LastModifiedTime int64  `json:"lastModifiedTime"` // milliseconds
	}
	out := struct {
		RetainedTopics []summary `json:"retainedTopics"`
		NextToken      *string   `json:"nextToken"` // null at the end
	}{RetainedTopics: []summary{}}
	if next != "" {
		out.NextToken = &next
	}
	for _, t := range topics {
		if m, at, ok := s.cfg.Broker.RetainedAt(t); ok {
			out.RetainedTopics = append(out.RetainedTopics, summary{t, len(m.Payload), m.QoS, at.UnixMilli()})
		}
	}
	return s.json(r, out)
}

// getRetained is GET /retainedMessage/TOPIC
func (s *Server) getRetained(r *request) *response {
	if no := s.permit(r, policy.GetRetainedMessage, r.name); no != nil {
		return no
	}
	m, at, ok := s.cfg.Broker.RetainedAt(r.name)
	if !ok {
		return s.refuse(r.peer, r.http, 404, exceptions[404], "No retained message found for topic: "+r.name, "there is no retained message on this topic")
	}
	out := struct {
		Topic            string  `json:"topic"`
		Payload          []byte  `json:"payload"` // base64
		QoS              byte    `json:"qos"`
		LastModifiedTime int64   `json:"lastModifiedTime"` // milliseconds
		UserProperties   *string `json:"userProperties"`   // base64 of JSON, or null
	}{Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, LastModifiedTime: at.UnixMilli()}
	if m.Properties != nil && len(m.Properties.User) > 0 {
		text, err := userJSON(m.Properties.User)
		if err != nil {
			return s.trouble(r, "writing the answer", err)
		}
		out.UserProperties = &text
	}
	return s.json(r, out)
}

// userJSON is the reverse of userProperties: an object for each.
func userJSON(list []broker.UserProperty) (string, error) {
	var objects []map[string]string
	for _, u := range list {
		objects = append(objects, map[string]string{u.Key: u.Value})
	}
	text, err := json.Marshal(objects)
	return base64.StdEncoding.EncodeToString(text), err
}
