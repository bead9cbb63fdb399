package awsiot

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/rest"
	"github.com/skep-sim/skep/internal/awsiot/sigv4"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// The protocols of port 443, as clients name them in ALPN. A client that names none, or
// http/1.1, has no certificate and signs its requests. AWS also knows "mqtt", for custom
// authorisers.
const (
	alpnMQTT  = "x-amzn-mqtt-ca"
	alpnHTTP  = "x-amzn-http-ca"
	alpnPlain = "http/1.1"
)

// Listen443 serves on l what AWS serves on port 443, from now until Close: MQTT and HTTPS with
// a client certificate by ALPN, and without one signed HTTPS (SigV4) and MQTT over WebSocket.
func (s *Server) Listen443(l net.Listener, opts ...ListenOption) {
	cfg := s.tlsConfig(opts, alpnMQTT, alpnHTTP, alpnPlain)
	s.listen(l, func(nc net.Conn) {
		tc := tls.Server(nc, cfg)
		if !s.handshake(tc) {
			return
		}
		// The handshake is done: shake and restPeer only look at it.
		switch tc.ConnectionState().NegotiatedProtocol {
		case alpnMQTT:
			s.broker.Serve(tc, func() (broker.Peer, error) { return s.shake(tc) })
		case alpnHTTP:
			s.rest.Serve(tc, func() (rest.Peer, error) { return s.restPeer(tc) })
		default:
			s.rest.Serve(tc, func() (rest.Peer, error) { return s.signingPeer(tc) })
		}
	})
}

// handshake shakes hands where what comes next is only known afterwards. It logs a failure.
func (s *Server) handshake(tc *tls.Conn) bool {
	limit := s.limits.HandshakeTime
	guard := s.cfg.Clock.AfterFunc(limit, func() { tc.NetConn().Close() })
	err := tc.HandshakeContext(context.Background())
	inTime := guard.Stop()
	if err == nil && inTime {
		return true
	}
	tc.NetConn().Close()
	text := fmt.Sprintf("no TLS handshake within %v of the TCP connection; it is closed", limit)
	if inTime {
		text = "TLS: " + explainTLS(err).Error()
	}
	s.log(event.Event{Time: s.cfg.Clock.Now(), Kind: event.Refused, Remote: tc.RemoteAddr().String(), Text: text})
	return false
}

// signingPeer is a client without a certificate.
func (s *Server) signingPeer(tc *tls.Conn) (rest.Peer, error) {
	p, err := s.shake(tc)
	if err != nil {
		return rest.Peer{}, err
	}
	_, region, _ := identity.ParseEndpoint(p.DomainName) // any region by another name
	return rest.Peer{
		Remote: p.Remote,
		Authorize: func(req *http.Request, body []byte) (string, *policy.Compiled, error) {
			service := sigv4.ServiceData
			switch path := req.URL.Path; {
			case path == "/mqtt":
				service = sigv4.ServiceGateway
			case strings.HasPrefix(path, "/things/") && strings.Contains(path, "/jobs"):
				service = sigv4.ServiceJobs
			}
			id, err := s.verifySigned(req, body, region, service)
			if err != nil {
				return id, nil, err
			}
			allowed, err := s.compile(broker.Peer{CertID: id, IP: p.IP, DomainName: p.DomainName}, "", false, nil)
			return id, allowed, err
		},
		MQTT: func(nc net.Conn, id string) {
			s.broker.Serve(nc, func() (broker.Peer, error) {
				return broker.Peer{CertID: id, Remote: p.Remote, Local: p.Local, IP: p.IP, DomainName: p.DomainName}, nil
			})
		},
	}, nil
}

// verifySigned says whose access key a request was signed with.
func (s *Server) verifySigned(req *http.Request, body []byte, region, service string) (id string, err error) {
	sig, err := sigv4.Parse(req)
	if errors.Is(err, sigv4.ErrNone) {
		return "", fmt.Errorf("%w: on this port a certificate needs ALPN %s or %s", err, alpnMQTT, alpnHTTP)
	}
	if err != nil {
		return "", err
	}
	k, err := s.key(sig.KeyID)
	if err != nil {
		return "", err
	}
	if sig.Token != "" {
		return k.KeyID, fmt.Errorf("key %s comes with a session token, and there are no temporary keys here: leave the token away", k.KeyID)
	}
	err = sig.Verify(req, body, k.Secret, sigv4.Scope{Region: region, Services: []string{service}, Now: s.cfg.Clock.Now()})
	return k.KeyID, err
}

// key finds an access key that may be used now.
func (s *Server) key(id string) (*store.Credential, error) {
	k := s.cfg.State.Credential(id)
	switch {
	case k == nil:
		return nil, fmt.Errorf("the access key %.24q is not known here: make one with `skep cloud credentials`", id)
	case !k.Active:
		return nil, fmt.Errorf("the access key %s is inactive", id)
	}
	return k, nil
}
