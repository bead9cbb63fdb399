package broker

import (
	"encoding/json"
	"strings"
)

// presenceEvent is AWS's lifecycle message, its members in the documentation's order.
type presenceEvent struct {
	ClientID   string `json:"clientId"`
	Timestamp  int64  `json:"timestamp"` // milliseconds since 1970
	EventType  string `json:"eventType"`
	Initiated  *bool  `json:"clientInitiatedDisconnect,omitempty"`
	SessionID  string `json:"sessionIdentifier"`
	Principal  string `json:"principalIdentifier"`
	IPAddress  string `json:"ipAddress,omitempty"`
	Reason     string `json:"disconnectReason,omitempty"`
	VersionNum uint64 `json:"versionNumber"`
}

// presence publishes the lifecycle event of a connection made or ended. Client ids with
// wildcards in them get none.
func (b *Broker) presence(c *conn, connected bool) {
	if strings.ContainsAny(c.sess.id, "+#") {
		return
	}
	e := presenceEvent{
		ClientID: c.sess.id, Timestamp: b.cfg.Clock.Now().UnixMilli(), EventType: "connected",
		SessionID: c.sessionID, Principal: c.peer.CertID, VersionNum: b.serial.Add(1),
	}
	if connected {
		e.IPAddress = c.peer.IP.String()
	} else {
		initiated := c.reason == reasonClient
		e.EventType, e.Initiated, e.Reason = "disconnected", &initiated, c.reason
	}
	b.publishEvent("$aws/events/presence/"+e.EventType+"/"+e.ClientID, e)
}

// subscriptionEvent publishes the lifecycle event of subscriptions made or ended.
func (b *Broker) subscriptionEvent(c *conn, subscribed bool, filters []string) {
	if strings.ContainsAny(c.sess.id, "+#") {
		return
	}
	kind := "unsubscribed"
	if subscribed {
		kind = "subscribed"
	}
	b.publishEvent("$aws/events/subscriptions/"+kind+"/"+c.sess.id, struct {
		ClientID  string   `json:"clientId"`
		Timestamp int64    `json:"timestamp"`
		EventType string   `json:"eventType"`
		SessionID string   `json:"sessionIdentifier"`
		Principal string   `json:"principalIdentifier"`
		Topics    []string `json:"topics"`
	}{c.sess.id, b.cfg.Clock.Now().UnixMilli(), kind, c.sessionID, c.peer.CertID, filters})
}

func (b *Broker) publishEvent(topic string, e any) {
	text, err := json.Marshal(e)
	if err != nil {
		return // only strings and numbers are in it
	}
	b.route(&Message{Topic: topic, Payload: text, QoS: 1}, nil)
}
