package cluster

import (
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// TestHeldUntilConfirmed: what was handed over is kept, with what is to be deleted, until it is confirmed, also
// if it is handed over again.
func TestHeldUntilConfirmed(t *testing.T) {
	h := held{deletes: map[string][]heldDelete{}, waiting: map[string]chan struct{}{}, to: map[string]string{}, kept: map[string]kept{}}
	first := surrender{State: &broker.SessionState{ClientID: "c"}, Taken: 7}
	confirmed := h.begin("c")
	h.keep("c", "b", first)
	if !h.hold("c", "k", nil, nil) {
		t.Error("a delete is not held")
	}
	k, ok := h.keeps("c")
	if !ok || k.node != "b" || k.s.State != first.State || k.s.Taken != 7 {
		t.Errorf("keeps %+v %v", k, ok)
	}
	h.keep("c", "d", k.s) // b has died, d asks
	h.begin("other")
	h.confirm("c")
	select {
	case <-confirmed:
	default:
		t.Error("the confirmation is not heard")
	}
	if _, ok := h.keeps("c"); ok {
		t.Error("it is kept after the confirmation")
	}
	if list := h.forget("c"); len(list) != 1 || list[0].key != "k" {
		t.Errorf("deletes %v", list)
	}
	h.begin("c")
	h.hold("c", "k", nil, nil)
	h.begin("c") // it was back for a moment
	if list := h.forget("c"); len(list) != 1 {
		t.Errorf("a second handing over drops %v", list)
	}
}
