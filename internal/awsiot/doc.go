// Package awsiot is AWS IoT Core's data plane on this machine: MQTT on 8883, HTTPS on 8443,
// and on 443 both by ALPN, MQTT over WebSocket and signed HTTPS; policies, device shadows and
// lifecycle events, strict where it is present. Whatever AWS would refuse it refuses, and says why in a line for a person.
//
// Server puts the parts together:
//
//	clock     what time it is
//	event     what a person is told
//	identity  certificate chains, and which of them a TLS hello gets
//	policy    what a certificate may do
//	store     the state directory
//	control   things, certificates, policies: to make, show, change and delete them
//	broker    MQTT sessions and messages
//	shadow    the shadow rules, pure; shadows the service around them
//	rules     topic rules and their actions; sql their language
//	jobs      jobs for fleets of things
//	rest      HTTPS
//	sigv4     signed requests
//	websocket MQTT inside HTTPS
//
// Beside it, traffic is what passes, to look at, and web a page that shows it.
//
// It is not the control plane's network API: things, certificates and policies are made by calls
// (InitDir, Server.Control), not over the network. Custom authorisers are not there; who
// asks for one is refused, with a line that says so. It never contacts AWS and never imports
// the simulated device.
package awsiot
