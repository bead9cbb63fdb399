package main

import "github.com/skep-sim/skep/internal/awsiot"

// brokerFlags are the switches of the message broker where AWS IoT is not known
// to do one thing, or where doing it costs.
type brokerFlags struct {
	RefuseSubscribe bool `name:"refuse-subscribe" help:"Answer a SUBSCRIBE of MQTT 3.1.1 that the policy denies with 0x80. Default: the connection closes."`
	ThrottleClose   bool `name:"throttle-close" help:"Close a connection that publishes faster than it may, for THROTTLED. Default: it is held back."`
	RelaxedQoS1     bool `name:"relaxed-qos1" help:"Acknowledge QoS 1 messages to persistent sessions before they are on disk: quicker, and a crash may lose some."`
}

// apply puts the switches into a configuration.
func (f brokerFlags) apply(c *awsiot.Config) {
	c.RefuseSubscribe, c.ThrottleClose, c.RelaxedQoS1 = f.RefuseSubscribe, f.ThrottleClose, f.RelaxedQoS1
}
