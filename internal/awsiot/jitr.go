package awsiot

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// register is just-in-time registration: a certificate of a registered CA comes in as
// PENDING_ACTIVATION, an event says so, and the connection is refused. refusal is why it would
// be refused otherwise.
func (s *Server) register(cs tls.ConnectionState, refusal error) error {
	r, err := s.control.Register(cs.PeerCertificates, cs.ServerName != "")
	switch {
	case errors.Is(err, control.ErrNoRegistration):
		return refusal
	case err != nil:
		return fmt.Errorf("%w; %w", refusal, err)
	}
	payload, err := json.Marshal(struct {
		CertID     string `json:"certificateId"`
		CAID       string `json:"caCertificateId"`
		Timestamp  int64  `json:"timestamp"` // milliseconds since 1970
		Status     string `json:"certificateStatus"`
		Account    string `json:"awsAccountId"`
		Registered string `json:"certificateRegistrationTimestamp"` // the same, as text
	}{r.CertID, r.CAID, r.Time.UnixMilli(), store.StatusPending, cmp.Or(s.cfg.Account, unknownAccount), strconv.FormatInt(r.Time.UnixMilli(), 10)})
	if err != nil {
		return err
	}
	if err := s.broker.Publish(broker.Message{Topic: "$aws/events/certificates/registered/" + r.CAID, Payload: payload, QoS: 1}); err != nil {
		return err
	}
	return fmt.Errorf("certificate %.10s… of CA %.10s… has registered itself and waits: activate it with `skep cloud cert activate %.10s`", r.CertID, r.CAID, r.CertID)
}

// unknownAccount stands in events where no account is configured.
const unknownAccount = "000000000000"
